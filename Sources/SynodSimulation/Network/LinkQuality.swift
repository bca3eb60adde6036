import SynodBytes
import SynodPaxos

/// How links treat messages for a whole run.
struct LinkQuality {
    var delay = Interval.microseconds(300)
    /// Mean of what is added to the delay, exponentially distributed.
    var spread = Interval(nanoseconds: 0)
    /// Of a million messages.
    var lost: UInt64 = 0
    /// A link turns bad and good again that many times of a million messages; while it is bad it
    /// loses `burstLoss` of a million.
    var turnsBad: UInt64 = 0
    var burstLoss: UInt64 = 0
    var doubled: UInt64 = 0
    /// A copy arrives up to this much later.
    var replay = Interval(nanoseconds: 0)
    /// That many of a million take one to ten seconds longer.
    var straggling: UInt64 = 0
    /// Whether messages may overtake each other.
    var reorders = false
    /// Packets in flight on a link, beyond which they are lost.
    var capacity = Int.max
    /// What a replica can send, to all its peers together; nil: any amount in no time.
    var bytesPerSecond: UInt64?

    init() {}

    init(for plan: Plan, _ chance: inout PRNG) {
        delay = .microseconds(chance.pick([50, 300, 300, 1000, 5000]))
        if plan.isEnabled(.n1) {
            lost = chance.pick([1_000, 10_000, 50_000, 300_000])
            if chance.chance(1, in: 2) {
                turnsBad = chance.below(20_000)
                burstLoss = 500_000 + chance.below(500_000)
            }
        }
        if plan.isEnabled(.n2) {
            doubled = chance.pick([1_000, 10_000, 100_000, 500_000])
            replay = .milliseconds(chance.pick([10, 1000, 60_000]))
        }
        if plan.isEnabled(.n3) {
            delay = .milliseconds(chance.below(31))
            spread = .milliseconds(chance.pick([1, 10, 30, 100]))
            straggling = chance.pick([0, 1_000, 10_000])
            reorders = chance.chance(2, in: 3)
        }
        if plan.isEnabled(.n8) { capacity = 2 + chance.index(19) }
    }

    /// Whether every message of a packet meets the same fate.
    var isEven: Bool {
        lost == 0 && turnsBad == 0 && doubled == 0 && straggling == 0 && !reorders
    }
}
