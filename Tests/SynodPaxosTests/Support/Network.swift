import SynodBytes
import SynodPaxos

/// The links between replicas, one for each direction.
struct Network {
    /// How a link treats messages.
    struct Quality: Sendable {
        var delay = Interval.milliseconds(1)
        /// Up to this is added to the delay.
        var spread = Interval.milliseconds(0)
        /// Of a thousand messages.
        var lost: UInt64 = 0
        var doubled: UInt64 = 0
        /// This many of a thousand take up to a second longer.
        var straggling: UInt64 = 0
        /// Whether messages may overtake each other.
        var reorders = false
    }

    var quality = Quality()
    private let count: Int
    private var isCut: [Bool]
    private var lastArrival: [Instant]

    init(count: Int) {
        self.count = count
        isCut = Array(repeating: false, count: count * count)
        lastArrival = Array(repeating: Instant(nanoseconds: 0), count: count * count)
    }

    func isCut(from: Int, to: Int) -> Bool { isCut[from * count + to] }

    /// Whether messages pass in both directions.
    func connects(_ one: Int, _ other: Int) -> Bool {
        !isCut(from: one, to: other) && !isCut(from: other, to: one)
    }

    mutating func cut(from: Int, to: Int) { isCut[from * count + to] = true }

    mutating func cutBoth(_ one: Int, _ other: Int) {
        cut(from: one, to: other)
        cut(from: other, to: one)
    }

    mutating func heal() {
        isCut = Array(repeating: false, count: count * count)
    }

    /// Leaves only links within a group.
    mutating func partition(_ groups: [[Int]]) {
        heal()
        for one in 0..<count {
            for other in 0..<count
            where one != other
                && !groups.contains(where: { $0.contains(one) && $0.contains(other) })
            {
                cut(from: one, to: other)
            }
        }
    }

    /// Leaves only the links named, in both directions.
    mutating func keepOnly(_ edges: [(Int, Int)]) {
        for one in 0..<count {
            for other in 0..<count where one != other {
                let isKept = edges.contains { $0 == (one, other) || $0 == (other, one) }
                isCut[one * count + other] = !isKept
            }
        }
    }

    /// When copies of a message sent now arrive: none, one, or two of them.
    mutating func arrivals(from: Int, to: Int, now: Instant, _ chance: inout PRNG) -> [Instant] {
        guard !isCut(from: from, to: to), !chance.chance(quality.lost, in: 1000) else { return [] }
        var first = now + quality.delay
        if quality.spread > .milliseconds(0) { first = first + draw(quality.spread, &chance) }
        if chance.chance(quality.straggling, in: 1000) {
            first = first + draw(.milliseconds(1000), &chance)
        }
        if !quality.reorders { first = max(first, lastArrival[from * count + to]) }
        lastArrival[from * count + to] = first
        guard chance.chance(quality.doubled, in: 1000) else { return [first] }
        return [first, first + draw(.milliseconds(3000), &chance)]
    }

    private func draw(_ span: Interval, _ chance: inout PRNG) -> Interval {
        Interval(nanoseconds: chance.below(span.nanoseconds))
    }
}
