/// What the clients of one store saw: every request, when it was called, and what came back.
///
/// All that the checkers know. A history is recorded outside of the store, on one clock, and says
/// nothing about replicas and ballots.
package struct History: Sendable, Hashable {
    /// In any order; the checkers sort.
    package var operations: [Operation]

    package init(operations: [Operation] = []) {
        self.operations = operations
    }
}

/// One request of one client, from its call to its return.
package struct Operation: Sendable, Hashable {
    package var client: Int
    /// Nanoseconds on the history's one monotonic clock, read before the request was sent.
    package var call: UInt64
    package var request: Request
    package var outcome: Outcome
    /// Where the store's log has it, from 1, if whoever recorded the history has looked there: of two
    /// operations with places, the one with the lower took effect first.
    ///
    /// Without it every write with an unknown outcome may have happened at any time or never, and a
    /// checker has to try all of that. With it there are fewer orders that may explain the history
    /// and never more, so that it can hide no violation; if a place is wrong, it makes one.
    package var place: UInt64?

    package init(
        client: Int, call: UInt64, request: Request, outcome: Outcome, place: UInt64? = nil
    ) {
        self.client = client
        self.call = call
        self.request = request
        self.outcome = outcome
        self.place = place
    }

    /// When the client knew that the operation was over; nil if it never did.
    package var `return`: UInt64? {
        switch outcome {
        case .answered(let at, _), .refused(let at): at
        case .unknown: nil
        }
    }

    /// The answer, if there was one.
    package var response: Response? {
        guard case .answered(_, let response) = outcome else { return nil }
        return response
    }
}

/// How an operation ended, as far as its client can tell.
package enum Outcome: Sendable, Hashable {
    /// The time was read after the response had arrived.
    case answered(at: UInt64, Response)
    /// An error that promises that the request had no effect and never will.
    case refused(at: UInt64)
    /// A timeout, a broken connection: it may take effect at any time after the call, or never.
    case unknown
}
