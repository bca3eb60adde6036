import SynodBytes
import SynodPaxos

/// How disks behave for a whole run.
struct DiskQuality {
    var syncTime = Interval.microseconds(500)
    /// Mean of what is added, exponentially distributed.
    var spread = Interval(nanoseconds: 0)
    /// Of a million syncs, that many take up to `stall` longer.
    var stalls: UInt64 = 0
    var stall = Interval(nanoseconds: 0)
    var flushTime = Interval.milliseconds(20)

    init() {}

    init(for plan: Plan, _ chance: inout PRNG) {
        syncTime = .microseconds(chance.pick([50, 500, 500, 5000]))
        if plan.isEnabled(.d9) {
            // A millisecond is nothing on a disk that is slow anyway.
            let spreads: [UInt64] =
                plan.options.profile == .slowdisk ? [100, 1000] : [1, 10, 100, 1000]
            spread = .milliseconds(chance.pick(spreads))
            stalls = chance.pick([0, 100, 2_000])
            stall = .seconds(30)
        }
        flushTime = .milliseconds(chance.pick([1, 20, 200, 3000]))
    }

    /// How long the next write takes; and whether that is longer than usual.
    func draw(_ chance: inout PRNG) -> (time: Interval, isSlow: Bool) {
        var time = syncTime
        if spread.nanoseconds > 0 { time = time + chance.exponential(mean: spread) }
        let isStalled = chance.perMillion(stalls)
        if isStalled { time = time + chance.interval(below: stall) }
        return (time, isStalled || time > syncTime * 10)
    }
}
