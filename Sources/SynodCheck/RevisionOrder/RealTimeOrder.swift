/// The real-time half of linearizability (Herlihy & Wing 1990, section 2): what had returned before
/// something else was called comes before it in the order of revisions.
///
/// One sweep over calls and returns with the highest revision of all that has returned. A
/// serializable read may itself be late, but what it saw had happened, so that it binds those
/// after it like any other operation.
enum RealTimeOrder {
    /// Returns the revisions, by operation, at which reads must be answered as at their own, because
    /// those are older than what was known before.
    static func check(_ operations: [Operation], _ leeway: Leeway) throws(Refutation)
        -> [Int: Int64]
    {
        var placements: [Int: Int64] = [:]
        let answered = operations.indices.filter { operations[$0].response != nil }
        let calls = sorted(answered) { operations[$0].call }
        let returns = sorted(answered) { operations[$0].return ?? .max }
        var next = 0
        var newest: (revision: Int64, operation: Int) = (Int64.min, -1)
        for call in calls {
            while next < returns.count, returns[next].time < call.time {
                let index = returns[next].operation
                if let revision = operations[index].response?.revision, revision > newest.revision {
                    newest = (revision, index)
                }
                next += 1
            }
            let operation = operations[call.operation]
            if leeway.allowsLateHeaders, let response = operation.response,
                !operation.request.canWrite, !operation.request.isSerializable,
                response.revision < newest.revision
            {
                placements[call.operation] = newest.revision
            } else {
                try check(call.operation, operation, newest)
            }
        }
        return placements
    }

    private static func check(
        _ index: Int, _ operation: Operation, _ newest: (revision: Int64, operation: Int)
    ) throws(Refutation) {
        guard let response = operation.response, !operation.request.isSerializable else { return }
        if response.revision < newest.revision {
            throw Refutation(
                "is of an older revision than, returned before it was called,",
                [index, newest.operation])
        }
        if response.body.isChange, response.revision == newest.revision {
            throw Refutation(
                "made a revision that was seen before it was called by", [index, newest.operation])
        }
    }

    /// For each revision that nobody was answered with, the latest time at which an operation that
    /// made it can have been called: before anything returned that saw it or a later one.
    static func latestCalls(_ timeline: Timeline, _ operations: [Operation]) -> [Int64: UInt64] {
        var earliest = Array(repeating: UInt64.max, count: timeline.writers.count + 2)
        for operation in operations {
            guard case .answered(let at, let response) = operation.outcome else { continue }
            let place = Int(response.revision - Timeline.firstRevision)
            earliest[place] = min(earliest[place], at)
        }
        for place in earliest.indices.dropLast().reversed() {
            earliest[place] = min(earliest[place], earliest[place + 1])
        }
        return Dictionary(
            uniqueKeysWithValues: timeline.gaps.map {
                ($0, earliest[Int($0 - Timeline.firstRevision)])
            })
    }

    private static func sorted(
        _ operations: [Int], by time: (Int) -> UInt64
    ) -> [(time: UInt64, operation: Int)] {
        operations.map { (time: time($0), operation: $0) }.sorted { $0.time < $1.time }
    }
}
