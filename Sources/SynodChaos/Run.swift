import Foundation
import SynodBytes
import SynodCheck
import SynodLauncher

/// One scenario on one cluster, from the first start to the last check.
struct Run {
    /// How long a cluster may take to serve again once everything is mended.
    private static let patience = Duration.seconds(30)
    /// A standstill of the machine that makes a run worthless, in seconds.
    private static let worthlessStall = 2.0

    let scenario: Scenario
    let size: Int
    let configuration: ChaosConfiguration

    func play() async -> RunReport {
        var report = RunReport(
            scenario: scenario.name, members: size, seed: configuration.seed)
        report.skipped = scenario.obstacle()
        guard report.skipped == nil else { return report }
        let directory = NSTemporaryDirectory() + "synod-chaos-\(UUID().uuidString)"
        Guardian.shared.made(directory)
        let load = Load()
        let watch = StallWatch()
        defer { watch.stop() }
        do {
            let cluster = try await ChaosCluster(
                size: size, directory: directory, executable: configuration.executable,
                seed: configuration.seed, flags: [])
            await play(on: cluster, load, &report)
            await load.stop()
            // The end must come also when this task was cancelled, which its children would notice.
            await Task { await cluster.end() }.value
        } catch {
            report.violations.append("The cluster could not be made: \(error)")
        }
        report.note(standstill: watch.longest, bound: Self.worthlessStall)
        if !report.hasPassed, !Task.isCancelled { keep(directory, load.recorder.history, &report) }
        try? FileManager.default.removeItem(atPath: directory)
        Guardian.shared.removed()
        return report
    }

    private func play(
        on cluster: ChaosCluster, _ load: Load, _ report: inout RunReport
    ) async {
        // The seed of the scenario's chance depends on its name, so that no two play alike.
        var chance = PRNG(seed: configuration.seed ^ stableHash("\(scenario.name)\(size)".utf8))
        var volume: (member: ChaosMember, volume: SmallVolume)?
        defer { volume?.volume.unmount() }
        /// What is not yet in the report, and since when.
        var begun: (stage: Stage, start: UInt64)?
        do {
            if scenario.needsSmallVolume {
                let member = cluster.members[Int(chance.below(UInt64(size)))]
                let path = member.plan.dataDirectory
                // Room for what the load writes, several times over, so that the filling fills it.
                let megabytes = 192 + 16 * Int(configuration.seconds)
                volume = (member, try SmallVolume(at: path, megabytes: megabytes))
            }
            try await cluster.start()
            try load.start(
                cluster, valueBytes: scenario.needsSmallVolume ? 4096 : 0, seed: chance.next())
            guard await load.recorder.waitForProgress(100, within: Self.patience) else {
                throw ChaosError("the load makes no progress before anything is broken")
            }
            let start = load.recorder.now
            var stage = Stage(
                cluster: cluster, recorder: load.recorder, volume: volume, chance: chance.fork(),
                deadline: .now + .seconds(configuration.seconds))
            let failure = await attempt(&stage)
            begun = (stage, start)
            try Task.checkCancellation()
            volume?.volume.empty()
            try cluster.heal()
            try await cluster.waitUntilAllServe(within: Self.patience)
            let progressed = await load.recorder.waitForProgress(200, within: Self.patience)
            begun = nil
            await sumUp(stage, since: start, cluster, load, &report)
            if let failure { report.violations.append("The scenario broke off: \(failure)") }
            report.verdicts["progress"] = progressed ? "valid" : "violation"
            if !progressed { report.violations.append("No progress after everything was mended.") }
            await FinalChecks(cluster: cluster, history: load.recorder.history).run(into: &report)
            try await endInGoodOrder(cluster, &report)
        } catch {
            if let begun { await sumUp(begun.stage, since: begun.start, cluster, load, &report) }
            report.violations.append("\(error)")
        }
        guard Task.isCancelled else { return }
        report.wasStopped = true
        // Waits that were cut short look like something wrong.
        report.violations = []
    }

    /// Takes down what was broken and what came of all operations, which end with it.
    private func sumUp(
        _ stage: Stage, since start: UInt64, _ cluster: ChaosCluster, _ load: Load,
        _ report: inout RunReport
    ) async {
        let end = load.recorder.now
        await load.stop()
        report.summarize(load.recorder.history, from: start, to: end)
        report.faults = stage.fired.merging(cluster.board.fired) { $0 + $1 }
        report.violations += stage.violations
    }

    private func attempt(_ stage: inout Stage) async -> (any Error)? {
        do {
            try await scenario.play(&stage)
            return nil
        } catch {
            return error
        }
    }

    /// A member that was asked to end does so without an error, whatever it went through.
    private func endInGoodOrder(_ cluster: ChaosCluster, _ report: inout RunReport) async throws {
        for member in cluster.members { member.terminate() }
        for member in cluster.members {
            let ending = await member.waitForEnd(within: .seconds(20))
            if ending != .exited(code: 0) {
                let how = ending.map { "\($0)" } ?? "does not end"
                report.violations.append("\(member.name) \(how) when it is asked to end.")
            }
        }
    }

    /// Keeps what tells why a run failed: the history and the logs.
    private func keep(_ directory: String, _ history: History, _ report: inout RunReport) {
        let name = "\(scenario.name)-\(size)-\(configuration.seed)"
        let target = "\(configuration.directory)/\(name)"
        let files = FileManager.default
        do {
            try? files.removeItem(atPath: target)
            try files.createDirectory(atPath: target, withIntermediateDirectories: true)
            for file in try files.contentsOfDirectory(atPath: directory)
            where file.hasSuffix(".log") {
                try files.copyItem(atPath: "\(directory)/\(file)", toPath: "\(target)/\(file)")
            }
            let lines = Data(HistoryLines.encode(history))
            try lines.write(to: URL(fileURLWithPath: "\(target)/history.jsonl"))
            report.evidence = target
        } catch {
            report.violations.append("What was seen could not be kept in \(target): \(error)")
        }
    }
}
