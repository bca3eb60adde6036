import SynodPaxos

/// The monotonic clock of one machine: it may run fast, slow or unevenly, jump ahead and stand
/// still, but never goes back.
struct HostClock {
    private var trueBase = Instant(nanoseconds: 0)
    private var ownBase: Instant
    /// Own nanoseconds in a true millisecond: 1,000,000 is right.
    private(set) var rate: UInt64 = 1_000_000

    init(start: Instant) {
        ownBase = start
    }

    func own(at now: Instant) -> Instant {
        ownBase + Interval(nanoseconds: scale(now.since(trueBase).nanoseconds, rate, 1_000_000))
    }

    /// The first true time at which the clock shows at least `own`.
    func trueTime(of own: Instant) -> Instant {
        guard own < .distantFuture else { return .distantFuture }
        let span = own.since(ownBase).nanoseconds
        return trueBase + Interval(nanoseconds: scale(span, 1_000_000, rate))
            + Interval(nanoseconds: 2)
    }

    mutating func setRate(_ rate: UInt64, at now: Instant) {
        ownBase = own(at: now)
        trueBase = now
        self.rate = rate
    }

    mutating func jump(_ span: Interval, at now: Instant) {
        ownBase = own(at: now) + span
        trueBase = now
    }

    /// The machine was suspended and is awake: the clock goes on from what it showed then.
    mutating func goOn(from shown: Instant, at now: Instant) {
        precondition(shown <= own(at: now), "A monotonic clock does not go back.")
        ownBase = shown
        trueBase = now
    }

    private func scale(_ span: UInt64, _ factor: UInt64, _ divisor: UInt64) -> UInt64 {
        let product = span.multipliedFullWidth(by: factor)
        guard product.high < divisor else { return .max }
        return divisor.dividingFullWidth(product).quotient
    }
}
