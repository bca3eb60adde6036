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
    try checkWritable(configuration.directory)
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

/// The directory need not exist, but what of its path exists has to be a directory with room for more.
private func checkWritable(_ directory: String) throws {
    let files = FileManager.default
    var url = URL(fileURLWithPath: directory)
    while !files.fileExists(atPath: url.path), url.pathComponents.count > 1 {
        url.deleteLastPathComponent()
    }
    var isDirectory: ObjCBool = false
    _ = files.fileExists(atPath: url.path, isDirectory: &isDirectory)
    guard isDirectory.boolValue, files.isWritableFile(atPath: url.path) else {
        throw ChaosError(
            "nothing can be written to \(url.path): choose another --directory for what failed runs "
                + "leave")
    }
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
        return lines + stall + violations.prefix(10).map { "FAILED: \($0)" }
            + (evidence.map { ["history and logs: \($0)"] } ?? [])
    }
}
