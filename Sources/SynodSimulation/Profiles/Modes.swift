import SynodPaxos

/// When the governor of one replica proposed and when it forwarded, during one phase of a run.
struct Modes {
    private let start: Instant
    /// By rising times; the first is the start.
    private var changes: [(at: Instant, isProposing: Bool)]

    init(isProposing: Bool, at start: Instant) {
        self.start = start
        changes = [(start, isProposing)]
    }

    var isProposing: Bool { changes[changes.count - 1].isProposing }

    mutating func note(_ isProposing: Bool, at now: Instant) {
        if isProposing != self.isProposing { changes.append((now, isProposing)) }
    }

    /// How long after the start it had settled for one of the two: from then on it spent nine tenths
    /// of the time until the end with that. A governor that forwards looks now and then whether it
    /// should propose again, so it never stops changing altogether.
    /// - Parameter end: of the phase.
    func settled(_ isProposing: Bool, at end: Instant) -> Interval? {
        let ends = changes.dropFirst().map(\.at) + [end]
        var (spent, earliest): (UInt64, Interval?) = (0, nil)
        for (change, until) in zip(changes, ends).reversed() where change.isProposing == isProposing
        {
            spent += until.since(change.at).nanoseconds
            if spent * 10 >= end.since(change.at).nanoseconds * 9 {
                earliest = change.at.since(start)
            }
        }
        return earliest
    }

    /// The same for whichever it settled for; nil if for neither.
    func settled(at end: Instant) -> Interval? {
        let times = [true, false].compactMap { settled($0, at: end) }
        return times.min()
    }
}
