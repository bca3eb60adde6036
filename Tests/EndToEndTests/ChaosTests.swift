import Foundation
import Testing

/// A few scenarios of `synod chaos`, briefly; `make chaos` plays them all.
@Suite(.enabled(if: !Programs.isServerEtcd, "the program under test is the one that breaks"))
struct ChaosTests {
    @Test func clientsSeeNothingWrongWhateverBreaks() async throws {
        let directory = NSTemporaryDirectory() + "synod-chaos-smoke-" + UUID().uuidString
        let result = try await Command.run(
            [
                Programs.server[0], "chaos", "--members", "3",
                "--scenario", "kill-many,partition,one-way,corruption,disk-error",
                "--seconds", Programs.runsLong ? "20" : "3", "--directory", directory,
            ], within: .seconds(240))
        #expect(result.status == 0, "\(result.output)\nhistory and logs: \(directory)")
        for effect in ["members killed", "pieces cut off", "frames corrupted"] {
            #expect(result.output.contains(effect), "nothing was broken:\n\(result.output)")
        }
        let hasTracer = !result.output.contains("strace is not installed")
        #expect(!hasTracer || result.output.contains("syncs failed"))
    }

    @Test func anUnknownScenarioIsRefusedWithTheNamesOfAll() async throws {
        let result = try await Command.run(
            [Programs.server[0], "chaos", "--scenario", "earthquake"])
        #expect(result.status != 0)
        #expect(result.output.contains("kill-leader"))
    }

    @Test func aKilledRunLeavesNothingBehind() async throws {
        let place = NSTemporaryDirectory() + "synod-chaos-killed-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: place, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: place) }
        let run = try ChildProcess(
            [
                Programs.server[0], "chaos", "--scenario", "stop", "--members", "3", "--directory",
                place + "/failures",
            ],
            environment: ["TMPDIR": place], log: place + "/log")
        let members = try await eventually("three members run") {
            let members = run.children(running: "serve")
            return members.count >= 3 ? members : nil
        }
        run.kill()
        for member in members {
            try await eventually("process \(member) is gone") { kill(member, 0) != 0 ? true : nil }
        }
        try await eventually("its directory is gone") {
            let left = try FileManager.default.contentsOfDirectory(atPath: place)
            return left.contains { $0.hasPrefix("synod-chaos-") } ? nil : true
        }
    }

    @Test func aStoppedRunLeavesNothingBehind() async throws {
        let log = NSTemporaryDirectory() + "synod-chaos-stopped-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: log) }
        let run = try ChildProcess(
            [
                Programs.server[0], "chaos", "--scenario", "stop", "--members", "3", "--directory",
                log + ".failures",
            ],
            environment: ["TMPDIR": NSTemporaryDirectory()], log: log)
        defer { run.kill() }
        let members = try await eventually("three members run") {
            let members = run.children(running: "serve")
            return members.count >= 3 ? members : nil
        }
        run.signal(SIGINT)
        #expect(try await run.exitStatus(within: .seconds(20)) == 130)
        #expect(run.output().contains("stopped before its end"))
        #expect(run.output().contains("longest gap  result"))
        for member in members {
            try await eventually("process \(member) is gone") { kill(member, 0) != 0 ? true : nil }
        }
    }
}
