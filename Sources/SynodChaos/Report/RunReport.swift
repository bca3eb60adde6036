import Foundation
import SynodCheck

/// What came of one scenario on one cluster.
package struct RunReport: Sendable, Codable {
    package struct Operations: Sendable, Codable {
        var succeeded = 0
        var refused = 0
        var unknown = 0
    }

    package let scenario: String
    package let members: Int
    package let seed: UInt64
    /// How long this machine stood still at most, in seconds, when that was so long that gaps and
    /// failures of this run may be its own doing; nil otherwise.
    package var standstill: Double?
    /// Why it was not played; nil if it was.
    package var skipped: String?
    /// Whether somebody ended it before its end, so that nothing was checked.
    package var wasStopped = false
    /// From the first fault to the first progress after the last one.
    package var seconds = 0.0
    package var operations = Operations()
    /// The longest time in which no operation succeeded anywhere, serializable reads left out.
    package var longestGapMilliseconds = 0.0
    /// How often each fault had an effect.
    package var faults: [String: Int] = [:]
    /// What each check said, by its name.
    package var verdicts: [String: String] = [:]
    /// One sentence for each thing that must not be.
    package var violations: [String] = []
    /// Where the history and the logs of a failed run are.
    package var evidence: String?

    init(scenario: String, members: Int, seed: UInt64) {
        self.scenario = scenario
        self.members = members
        self.seed = seed
    }

    package var hasPassed: Bool { violations.isEmpty && !wasStopped }

    mutating func note(standstill seconds: Double, bound: Double) {
        if seconds > bound { standstill = seconds }
    }

    /// Takes down what all operations came to, and the longest gap between two moments.
    mutating func summarize(_ history: History, from start: UInt64, to end: UInt64) {
        var successes = [start, end]
        for operation in history.operations {
            switch operation.outcome {
            case .answered(let at, _):
                operations.succeeded += 1
                if !operation.request.isSerializable, start < at, at < end { successes.append(at) }
            case .refused: operations.refused += 1
            case .unknown: operations.unknown += 1
            }
        }
        successes.sort()
        let gap = zip(successes, successes.dropFirst()).map { $1 - $0 }.max() ?? 0
        longestGapMilliseconds = Double(gap) / 1e6
        seconds = Double(end - start) / 1e9
    }
}
