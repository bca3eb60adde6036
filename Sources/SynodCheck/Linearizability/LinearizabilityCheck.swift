import SynodBytes

/// Judges a history by its values alone: is there, for every key, an order of the operations that
/// explains what clients read and agrees with real time?
///
/// The other checker believes the store's revisions; this one does not look at them, nor at
/// versions, so that a store that lies about them consistently is found out. Linearizability is
/// local (Herlihy & Wing 1990, theorem 1): a store of registers is linearizable exactly if each
/// register is, which divides the search, whose cost grows with a power of its operations that
/// overlap (P-compositionality: Horn & Kroening 2015).
///
/// *What is checked*, for each key: puts, deletes, reads, previous values, and transactions that
/// touch only this key, as one atomic step with its conditions on the value or the existence.
///
/// *What is left to ``RevisionOrderCheck``*: revisions and versions, in answers and in conditions,
/// beyond whether they are zero; how many keys a range delete found, unless none; and that an
/// operation on several keys happens on all of them at once, for each key sees its own part of it,
/// and the failure of a transaction whose conditions are on several keys says nothing about any.
/// Serializable reads are not linearizable and are not looked at here.
///
/// A read of a range costs as much as a read of each key in it that the history names.
package enum LinearizabilityCheck {
    /// Every key is absent before the first operation. The budget counts steps of the search, over
    /// all keys.
    package static func judge(_ history: History, stepBudget: Int = 100_000_000) -> Verdict {
        let operations = history.operations
        if let misfit = operations.first(where: { $0.response?.body.fits($0.request) == false }) {
            return .violation(Violation("\(misfit) was answered as no store can", [misfit]))
        }
        let keys = KeyTable(namedBy: operations)
        var budget = stepBudget
        for (number, events) in partition(operations, keys).enumerated() where !events.isEmpty {
            let keyHistory = KeyHistory(events)
            var search = RegisterSearch(keyHistory)
            switch search.run(stepBudget: &budget) {
            case .linearizable: continue
            case .stuck(let step):
                let operation = operations[keyHistory.steps[step].operation]
                return .violation(
                    Violation(
                        "no order of the operations on \(keys.keys[number].readable) explains "
                            + "\(operation)", [operation]))
            case .outOfBudget:
                return .undecided(
                    "too many orders of the operations on \(keys.keys[number].readable)")
            }
        }
        return .valid
    }

    private static func partition(
        _ operations: [Operation], _ keys: KeyTable
    ) -> [[KeyHistory.Event]] {
        var events: [[KeyHistory.Event]] = Array(repeating: [], count: keys.keys.count)
        for (index, operation) in operations.enumerated() where concernsRegisters(operation) {
            for number in touchedKeys(operation.request, keys) {
                let steps = Projection(key: keys.keys[number]).steps(
                    of: operation.request, answered: operation.response?.body)
                for step in steps where !step.isIdle {
                    events[number].append(
                        KeyHistory.Event(
                            operation: index, call: operation.call, end: operation.return,
                            place: operation.place, isOnlyWay: steps.count == 1, step: step))
                }
            }
        }
        return events
    }

    private static func concernsRegisters(_ operation: Operation) -> Bool {
        switch operation.outcome {
        case .answered: !operation.request.isSerializable
        case .refused: false
        case .unknown: operation.request.canWrite
        }
    }

    private static func touchedKeys(_ request: Request, _ keys: KeyTable) -> [Int] {
        switch request {
        case .put(let key, _, _): keys.number(of: key).map { [$0] } ?? []
        case .delete(let range, _), .range(let range, _): Array(keys.numbers(in: range))
        case .txn(let compares, let success, let failure):
            Set(
                compares.compactMap { keys.number(of: $0.key) }
                    + (success + failure).flatMap { touchedKeys($0, keys) }
            ).sorted()
        }
    }
}
