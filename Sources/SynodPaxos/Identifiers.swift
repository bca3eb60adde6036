/// Names one replica for ever: etcd's member id. Never reused, never zero.
package struct ReplicaID: Hashable, Comparable, Sendable {
    package let rawValue: UInt64

    @inlinable
    package init(_ rawValue: UInt64) {
        self.rawValue = rawValue
    }

    @inlinable
    package static func < (left: ReplicaID, right: ReplicaID) -> Bool {
        left.rawValue < right.rawValue
    }
}

/// A position in the log, from 1; one decision each. Zero lies before every decision.
package struct Slot: Hashable, Comparable, Sendable {
    package let rawValue: UInt64

    @inlinable
    package init(_ rawValue: UInt64) {
        self.rawValue = rawValue
    }

    package static let zero = Slot(0)

    /// The slot behind this one. Slots from the wire are checked against ``Limits/highestSlot``,
    /// so that this cannot overflow.
    @inlinable
    package var next: Slot { Slot(rawValue + 1) }

    @inlinable
    package func advanced(by count: Int) -> Slot { Slot(rawValue + UInt64(count)) }

    /// How many slots this one lies behind `earlier`, which must not be later.
    @inlinable
    package func distance(from earlier: Slot) -> Int {
        precondition(earlier <= self, "A distance is counted from the earlier slot.")
        return Int(rawValue - earlier.rawValue)
    }

    @inlinable
    package static func < (left: Slot, right: Slot) -> Bool { left.rawValue < right.rawValue }
}

/// A proposal number, totally ordered by round, then replica, then attempt.
///
/// Only `replica` may use it, so no two leaders ever share one (*Paxos Made Simple* §2.2); it grants
/// single slots of it to other proposers. `attempt` is 0, or 1 where the leader has abandoned a
/// slot that it had granted.
package struct Ballot: Hashable, Comparable, Sendable {
    package let round: UInt64
    package let replica: ReplicaID
    package let attempt: UInt32

    @inlinable
    package init(round: UInt64, replica: ReplicaID, attempt: UInt32 = 0) {
        self.round = round
        self.replica = replica
        self.attempt = attempt
    }

    /// The ballot that is promised for all slots at once.
    package var general: Ballot { Ballot(round: round, replica: replica) }

    /// The same ballot in a slot that its leader has abandoned.
    package var abandoning: Ballot { Ballot(round: round, replica: replica, attempt: 1) }

    /// Below every ballot that a proposer uses.
    package static let zero = Ballot(round: 0, replica: ReplicaID(0))

    /// Written out, so that the order of the fields above can never change the order of ballots.
    @inlinable
    package static func < (left: Ballot, right: Ballot) -> Bool {
        if left.round != right.round { return left.round < right.round }
        if left.replica != right.replica { return left.replica < right.replica }
        return left.attempt < right.attempt
    }
}

/// A point on a clock that only goes forward, in nanoseconds since an arbitrary start. Never used
/// for safety: clocks decide when to suspect, retry or give up, and nothing else.
package struct Instant: Hashable, Comparable, Sendable {
    package let nanoseconds: UInt64

    @inlinable
    package init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    package static let distantFuture = Instant(nanoseconds: .max)

    @inlinable
    package static func < (left: Instant, right: Instant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// Saturates in the distant future.
    @inlinable
    package static func + (instant: Instant, span: Interval) -> Instant {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(span.nanoseconds)
        return overflow ? .distantFuture : Instant(nanoseconds: sum)
    }

    /// The time since `earlier`; zero if that is later.
    @inlinable
    package func since(_ earlier: Instant) -> Interval {
        Interval(
            nanoseconds: nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0)
    }
}

/// A length of time in nanoseconds.
package struct Interval: Hashable, Comparable, Sendable {
    package let nanoseconds: UInt64

    @inlinable
    package init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    @inlinable
    package static func milliseconds(_ count: UInt64) -> Interval {
        Interval(nanoseconds: count * 1_000_000)
    }

    @inlinable
    package static func < (left: Interval, right: Interval) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// Saturates.
    @inlinable
    package static func + (left: Interval, right: Interval) -> Interval {
        let (sum, overflow) = left.nanoseconds.addingReportingOverflow(right.nanoseconds)
        return Interval(nanoseconds: overflow ? .max : sum)
    }

    /// Saturates.
    @inlinable
    package static func * (span: Interval, factor: UInt64) -> Interval {
        let (product, overflow) = span.nanoseconds.multipliedReportingOverflow(by: factor)
        return Interval(nanoseconds: overflow ? .max : product)
    }

    @inlinable
    package static func / (span: Interval, divisor: UInt64) -> Interval {
        Interval(nanoseconds: span.nanoseconds / divisor)
    }
}

/// Names the writes of one step. Tickets become durable in order: when one is, all earlier are.
package struct WriteTicket: Hashable, Comparable, Sendable {
    package let rawValue: UInt64

    @inlinable
    package init(_ rawValue: UInt64) {
        self.rawValue = rawValue
    }

    package static let zero = WriteTicket(0)

    @inlinable
    package var next: WriteTicket { WriteTicket(rawValue + 1) }

    @inlinable
    package static func < (left: WriteTicket, right: WriteTicket) -> Bool {
        left.rawValue < right.rawValue
    }
}
