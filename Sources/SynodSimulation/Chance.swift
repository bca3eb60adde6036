import SynodBytes
import SynodPaxos

/// Draws that a simulation makes of its generators; integers only, so that they are the same
/// everywhere.
extension PRNG {
    /// Up to, not including, the span; zero for an empty one.
    mutating func interval(below span: Interval) -> Interval {
        Interval(nanoseconds: span.nanoseconds == 0 ? 0 : below(span.nanoseconds))
    }

    mutating func interval(_ shortest: Interval, _ longest: Interval) -> Interval {
        let spread = longest.nanoseconds - shortest.nanoseconds
        return Interval(nanoseconds: shortest.nanoseconds + below(spread + 1))
    }

    /// Nearly exponential: the leading zeros of a number are geometric, and what is between them
    /// uniform.
    mutating func exponential(mean: Interval) -> Interval {
        let number = next() | 1
        let halvings = UInt64(number.leadingZeroBitCount)
        let thousandths = halvings * 1000 + below(1000)
        // There is one halving on average, and the uniform part adds a half: 1.5 is to be the mean.
        return Interval(nanoseconds: mean.nanoseconds / 1000 * thousandths / 1000 * 667)
    }

    mutating func index(_ count: Int) -> Int { Int(below(UInt64(count))) }

    mutating func pick<Value>(_ values: [Value]) -> Value { values[index(values.count)] }

    /// True that many times of a million.
    mutating func perMillion(_ rate: UInt64) -> Bool { rate > 0 && below(1_000_000) < rate }

    mutating func shuffled<Value>(_ values: [Value]) -> [Value] {
        var values = values
        var last = values.count - 1
        while last > 0 {
            values.swapAt(last, index(last + 1))
            last -= 1
        }
        return values
    }
}

extension Interval {
    static func microseconds(_ count: UInt64) -> Interval { Interval(nanoseconds: count * 1000) }
    static func seconds(_ count: UInt64) -> Interval { .milliseconds(count * 1000) }

    func ratio(to other: Interval) -> Double {
        Double(nanoseconds) / Double(max(other.nanoseconds, 1))
    }

    /// As people read it.
    var text: String {
        let milliseconds = nanoseconds / 1_000_000
        if nanoseconds < 1_000_000 { return "\(nanoseconds / 1000)µs" }
        if milliseconds < 10_000 { return "\(milliseconds)ms" }
        return "\(milliseconds / 1000)s"
    }
}

extension Ballot {
    var text: String { "\(round).\(replica.rawValue)" }
}
