import Foundation
import SynodBytes

/// Plays every scenario on every size of cluster, one after the other, and returns what came of it.
/// A cancelled run ends its processes and returns what it has.
///
/// Throws ``ChaosError`` before anything is started, if what a failed run leaves could not be kept.
///
/// - Parameter say: Where lines for people go.
package func runChaos(
    _ configuration: ChaosConfiguration, say: @escaping @Sendable (String) -> Void
) async throws -> [RunReport] {
    let isNew = try makeDirectory(configuration.directory)
    // Only if it is empty.
    defer { if isNew { rmdir(configuration.directory) } }
    var reports: [RunReport] = []
    for scenario in configuration.scenarios {
        for size in configuration.sizes where scenario.sizes.contains(size) {
            if Task.isCancelled { return reports }
            say("\(scenario.name), \(size) members: \(scenario.summary)")
            let run = Run(scenario: scenario, size: size, configuration: configuration)
            let report = await run.play()
            for line in report.summary { say("  \(line)") }
            reports.append(report)
        }
    }
    return reports
}

/// Makes the directory unless it is there. Returns whether it was not.
private func makeDirectory(_ path: String) throws -> Bool {
    let files = FileManager.default
    let isNew = !files.fileExists(atPath: path)
    do {
        try files.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
        throw ChaosError("\(path) cannot be made: choose another --directory for failed runs")
    }
    guard files.isWritableFile(atPath: path) else {
        throw ChaosError("nothing can be written to \(path): choose another --directory")
    }
    return isNew
}

extension RunReport {
    /// A few lines.
    fileprivate var summary: [String] {
        if let skipped { return ["skipped: \(skipped)"] }
        let faults = faults.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        let stall =
            standstill.map {
                ["this machine stood still for \(Int($0.rounded())) s: play this scenario again"]
            } ?? []
        let gap = Int(longestGapMilliseconds.rounded())
        let lines = [
            faults.isEmpty ? "no fault had an effect" : faults.joined(separator: ", "),
            "\(operations.succeeded) operations succeeded, \(operations.refused) were refused, "
                + "\(operations.unknown) have an unknown outcome; longest gap \(gap) ms",
        ]
        if hasPassed {
            return lines + stall
                + ["passed: " + verdicts.keys.sorted().joined(separator: ", ")]
        }
        return lines + stall + (wasStopped ? ["stopped before its end, nothing was checked"] : [])
            + violations.prefix(10).map { "FAILED: \($0)" }
            + (evidence.map { ["history and logs: \($0)"] } ?? [])
    }
}
