import Foundation
import Testing

/// `synod sim` and `synod explore` and Control-C; what they find is the matter of their own tests.
@Suite(.enabled(if: !Programs.isServerEtcd, "an etcd has no simulator"))
struct SimulationTests {
    @Test func anInterruptedSweepTellsHowFarItCame() async throws {
        let sweep = try start("sim", "--seeds", "1..1000000", "--jobs", "1")
        defer { end(sweep) }
        try await eventually("the sweep runs") { Self.isListening(sweep) ? true : nil }
        sweep.signal(SIGINT)
        #expect(try await sweep.exitStatus(within: .seconds(20)) == 130)
        #expect(sweep.output().contains("only these seeds are done"))
        #expect(sweep.output().contains("failed"))
    }

    @Test(
        arguments: [
            (
                ["sim", "--profile", "brief", "--seed", "1", "--operations", "100000"],
                "virtual time"
            ),
            (["explore", "--campaigns", "2,2", "--commands", "1,2"], "transitions"),
        ])
    func anInterruptedRunTellsWhatItHas(command: [String], line: String) async throws {
        let run = try start(command)
        defer { end(run) }
        try await eventually("it runs") { Self.isListening(run) ? true : nil }
        run.signal(SIGINT)
        #expect(try await run.exitStatus(within: .seconds(20)) == 130)
        #expect(run.output().contains(line))
        #expect(run.output().contains("interrupted"))
    }

    @Test func anInterruptedShrinkingLeavesNothingBehind() async throws {
        let shrinking = try start(
            "sim", "--profile", "brief", "--seed", "1", "--operations", "100000", "--shrink")
        defer { end(shrinking) }
        let runs = try await eventually("a run is tried") {
            let runs = shrinking.children(running: "json")
            return runs.isEmpty ? nil : runs
        }
        shrinking.signal(SIGINT)
        #expect(try await shrinking.exitStatus(within: .seconds(20)) == 130)
        for run in runs {
            try await eventually("process \(run) is gone") { kill(run, 0) != 0 ? true : nil }
        }
    }

    private func start(_ arguments: String...) throws -> ChildProcess { try start(arguments) }

    private func start(_ arguments: [String]) throws -> ChildProcess {
        let log = NSTemporaryDirectory() + "synod-sim-" + UUID().uuidString
        return try ChildProcess([Programs.server[0]] + arguments, log: log)
    }

    private func end(_ process: ChildProcess) {
        process.kill()
        try? FileManager.default.removeItem(atPath: process.log)
    }

    /// Whether it takes SIGINT itself by now; Linux only, as is /proc.
    private static func isListening(_ process: ChildProcess) -> Bool {
        let status = FileManager.default.contents(atPath: "/proc/\(process.id)/status") ?? Data()
        let line = String(decoding: status, as: UTF8.self).split(separator: "\n")
            .first { $0.hasPrefix("SigCgt:") }
        let caught = line?.split(whereSeparator: \.isWhitespace).last.flatMap {
            UInt64($0, radix: 16)
        }
        return (caught ?? 0) & 1 << UInt64(SIGINT - 1) != 0
    }
}
