import Histogram

/// What came of the operations that one event loop, or all of them, did.
struct Tally: Sendable {
    /// Latencies of successful operations, in microseconds.
    private(set) var latencies = Histogram<UInt64>(
        highestTrackableValue: 600_000_000, numberOfSignificantValueDigits: .three)
    private(set) var errors: [String: Int] = [:]
    private(set) var failed = 0

    /// Distinct messages kept; more of them are counted together.
    private static let mostMessages = 50
    private static let otherMessages = "(other errors)"

    var succeeded: Int { Int(latencies.totalCount) }

    mutating func succeed(microseconds: UInt64) {
        latencies.record(min(microseconds, latencies.highestTrackableValue))
    }

    mutating func fail(_ message: String) {
        count(message, 1)
    }

    mutating func add(_ other: Tally) {
        latencies.add(other.latencies)
        for (message, number) in other.errors { count(message, number) }
    }

    private mutating func count(_ message: String, _ number: Int) {
        let isKept = errors[message] != nil || errors.count < Self.mostMessages
        errors[isKept ? message : Self.otherMessages, default: 0] += number
        failed += number
    }
}
