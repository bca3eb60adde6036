import SynodBytes
import SynodCheck

/// The definition of linearizability, executed: is there an order of the answered operations and
/// of some of the unknown ones that agrees with real time and gives every answer?
///
/// Tries all of them; for histories of a handful of operations.
struct BruteForce {
    /// What an answer must agree on.
    enum Strictness {
        /// Everything; serializable reads with some state of the past.
        case revisions
        /// Values, counts and branches; serializable reads are not looked at.
        case values
    }

    private let operations: [Operation]
    private let strictness: Strictness
    private let leeway: Leeway

    static func isLinearizable(
        _ history: History, _ strictness: Strictness, allowing leeway: Leeway = .none
    ) -> Bool {
        var operations = history.operations.filter {
            if case .refused = $0.outcome { false } else { true }
        }
        if strictness == .values { operations.removeAll(where: \.request.isSerializable) }
        let search = BruteForce(operations: operations, strictness: strictness, leeway: leeway)
        return search.canFinish(Set(operations.indices), past: [NaiveStore()])
    }

    private func canFinish(_ rest: Set<Int>, past: [NaiveStore]) -> Bool {
        if rest.allSatisfy({ operations[$0].outcome == .unknown }) { return true }
        // A revision may be left out as soon as the one before was made, or later.
        if var state = past.last, leeway.skipped.contains(state.revision + 1) {
            state.skip()
            if canFinish(rest, past: past + [state]) { return true }
        }
        return rest.contains { next in
            canBeNext(next, rest) && canFinish(rest.subtracting([next]), after: next, past)
        }
    }

    /// Whether nothing is missing that had returned before this was called, or has an earlier place.
    /// Reads of the past may be of before whatever they came after.
    private func canBeNext(_ next: Int, _ rest: Set<Int>) -> Bool {
        if operations[next].request.isSerializable { return true }
        return rest.allSatisfy { other in
            if let place = operations[next].place, operations[other].place ?? .max < place {
                return false
            }
            guard let end = operations[other].return else { return true }
            return end >= operations[next].call
        }
    }

    private func canFinish(_ rest: Set<Int>, after next: Int, _ past: [NaiveStore]) -> Bool {
        let operation = operations[next]
        if operation.request.isSerializable, let response = operation.response {
            let isOfThePast = past.contains { state in
                var copy = state
                return copy.execute(operation.request) == response
            }
            return isOfThePast && canFinish(rest, past: past)
        }
        guard let before = past.last else { return false }
        var state = before
        let given = state.execute(operation.request)
        if state.revision > before.revision, leeway.skipped.contains(state.revision) {
            return false
        }
        if let response = operation.response, !agree(given, response),
            !isLate(response, for: operation.request, given, state)
        {
            return false
        }
        return canFinish(rest, past: past + [state])
    }

    private func agree(_ given: Response, _ told: Response) -> Bool {
        switch strictness {
        case .revisions: given == told
        case .values: given.body.withoutRevisions == told.body.withoutRevisions
        }
    }

    /// Whether the answer differs in that it tells an older revision, of which the same holds.
    private func isLate(
        _ told: Response, for request: Request, _ given: Response, _ state: NaiveStore
    ) -> Bool {
        leeway.allowsLateHeaders && strictness == .revisions && !request.canWrite
            && told.body == given.body && (1..<given.revision).contains(told.revision)
            && state.isUnchanged(request, given.body, since: told.revision)
    }
}

extension Body {
    var withoutRevisions: Body {
        switch self {
        case .put(let previous): .put(previous: previous?.withoutRevisions)
        case .delete(let count, let previous):
            .delete(count: count, previous: previous.map(\.withoutRevisions))
        case .range(let found, let count):
            .range(found.map(\.withoutRevisions), count: count)
        case .txn(let succeeded, let bodies):
            .txn(succeeded: succeeded, bodies.map(\.withoutRevisions))
        }
    }
}

extension KeyValue {
    fileprivate var withoutRevisions: KeyValue {
        KeyValue(key: key, value: value, createRevision: 0, modRevision: 0, version: 0)
    }
}
