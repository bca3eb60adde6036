package import NIOCore
import SynodBytes

/// The waits between attempts: random, so that members do not meet in step, and growing.
package struct Backoff {
    private let shortest: Int64
    private let longest: Int64
    private var ceiling: Int64
    private var prng: PRNG

    package init(limits: TransportLimits, seed: UInt64) {
        shortest = limits.shortestBackoff.nanoseconds
        longest = limits.longestBackoff.nanoseconds
        ceiling = shortest
        prng = PRNG(seed: seed)
    }

    /// Between half the ceiling and the ceiling, which doubles each time.
    package mutating func next() -> TimeAmount {
        let wait = prng.within(ceiling / 2...ceiling)
        ceiling = min(ceiling * 2, longest)
        return .nanoseconds(wait)
    }

    /// The next wait is the shortest again.
    package mutating func reset() {
        ceiling = shortest
    }

    /// The next wait is the longest: the peer is there and trying sooner will not help.
    package mutating func exhaust() {
        ceiling = longest
    }
}
