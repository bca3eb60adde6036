package import Histogram

/// What came of the operations that one event loop, or all of them, did.
package struct Tally: Sendable {
    /// Latencies of successful operations, in microseconds.
    package private(set) var latencies = Histogram<UInt64>(
        highestTrackableValue: 600_000_000, numberOfSignificantValueDigits: .three)
    package private(set) var errors: [String: Int] = [:]
    package private(set) var failed = 0

    package init() {}

    /// Distinct messages kept; more of them are counted together.
    private static let mostMessages = 50
    private static let otherMessages = "(other errors)"

    package var succeeded: Int { Int(latencies.totalCount) }

    package mutating func succeed(microseconds: UInt64) {
        latencies.record(min(microseconds, latencies.highestTrackableValue))
    }

    package mutating func fail(_ message: String) {
        count(message, 1)
    }

    package mutating func add(_ other: Tally) {
        latencies.add(other.latencies)
        for (message, number) in other.errors { count(message, number) }
    }

    private mutating func count(_ message: String, _ number: Int) {
        let isKept = errors[message] != nil || errors.count < Self.mostMessages
        errors[isKept ? message : Self.otherMessages, default: 0] += number
        failed += number
    }
}
