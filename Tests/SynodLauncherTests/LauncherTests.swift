import Foundation
import Synchronization
import SynodLauncher
import Testing

/// Replicas are shell scripts here; what they would say of the leader is put in by hand. One test
/// at a time, as a script cannot be run while a process just forked elsewhere has it open.
@Suite(.serialized) struct LauncherTests {
    /// A directory that a test may fill, with a script as the replica's program.
    private struct Stage {
        let directory: String
        var configuration = ClusterConfiguration()

        init(_ script: String) throws {
            directory = NSTemporaryDirectory() + "synod-launcher-\(UUID().uuidString)"
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true)
            let program = directory + "/replica"
            try Data("#!/bin/sh\n\(script)\n".utf8).write(to: URL(fileURLWithPath: program))
            try FileManager.default.setAttributes(
                [.posixPermissions: 0o755], ofItemAtPath: program)
            configuration.directory = directory
            configuration.executable = program
        }

        func remove() {
            try? FileManager.default.removeItem(atPath: directory)
        }
    }

    private static let obedient = "echo ready to serve client requests; exec cat"

    /// Runs a launcher; `act` is called with each line said and may report events.
    private func run(
        _ stage: Stage,
        act: @escaping @Sendable (String, @Sendable (ClusterEvent) -> Void) -> Void
    ) async -> (exitCode: Int32, lines: [String]) {
        let (events, continuation) = AsyncStream.makeStream(of: ClusterEvent.self)
        let report: @Sendable (ClusterEvent) -> Void = { continuation.yield($0) }
        let book = LineBook()
        var launcher = Launcher(
            stage.configuration, plans: ReplicaPlan.all(of: stage.configuration),
            say: { line in
                book.add(line)
                act(line, report)
            }, report: report)
        return (await launcher.run(events), book.lines)
    }

    private final class LineBook: Sendable {
        private let kept = Mutex<[String]>([])
        var lines: [String] { kept.withLock { $0 } }
        func add(_ line: String) { kept.withLock { $0.append(line) } }
    }

    private func sightings(leader: Int) -> ClusterEvent {
        .observed((1...3).map { Sighting(member: $0, leader: UInt64(leader), round: 1) })
    }

    @Test func aKilledReplicaIsReportedAndStartedAgain() async throws {
        let stage = try Stage(Self.obedient)
        let (exitCode, lines) = await run(stage) { line, report in
            if line.hasPrefix("starting") {
                report(sightings(leader: 2))
            } else if line.contains("Try this") {
                let words = line.split(separator: "\n").first { $0.hasPrefix("n3") }!
                    .split(separator: " ")
                kill(Int32(words[4])!, SIGKILL)
            } else if line.contains("serves again") {
                report(.stopRequested)
            }
        }
        #expect(exitCode == 0)
        let text = lines.joined(separator: "\n")
        #expect(text.contains(/n2 +127.0.0.1:2389 +127.0.0.1:2390 +127.0.0.1:2391 +\d+ +leader/))
        #expect(text.contains(/n3 \(pid \d+\) was killed by signal 9; it is started again in 2 s/))
        #expect(text.contains(/n3 starts again \(pid \d+\)/))
        #expect(text.contains("stopping the replicas"))
        stage.remove()
    }

    @Test func aReplicaThatFailsOnPurposeComesBackSoonAndIsCounted() async throws {
        var stage = try Stage(
            """
            echo 'today warn injects a fault kind=crash-before ms=1'
            [ $4 = n2 ] && [ ! -e "$6-failed" ] && { touch "$6-failed"; exit 86; }
            \(Self.obedient)
            """)
        stage.configuration.faults = .init(
            specification: "acceptor=5%", seed: 1, crashCode: 86)
        let start = ContinuousClock.now
        let (exitCode, lines) = await run(stage) { line, report in
            if line.hasPrefix("starting") { report(sightings(leader: 1)) }
            if line.contains("faults so far") { report(.stopRequested) }
        }
        #expect(exitCode == 0)
        let text = lines.joined(separator: "\n")
        #expect(text.contains(/n2 \(pid \d+\) failed on purpose \(crash-before\); it is started/))
        #expect(text.contains("faults so far: 4 crash-before"))
        #expect(ContinuousClock.now - start < .seconds(4))
        stage.remove()
    }

    @Test func aReplicaThatCannotStartStopsTheRestAndItsLogIsShown() async throws {
        let stage = try Stage("[ $4 = n2 ] && { echo disk on fire; exit 3; }; exec cat")
        let (exitCode, lines) = await run(stage) { _, _ in }
        #expect(exitCode == 1)
        #expect(lines.contains { $0.contains("exited with code 3 before it served") })
        #expect(lines.contains { $0.contains("disk on fire") })
        stage.remove()
    }

    @Test func aProgramThatIsMissingIsNamedOnce() async throws {
        var stage = try Stage("")
        stage.configuration.executable = "/nonexistent/synod"
        let (exitCode, lines) = await run(stage) { _, _ in }
        #expect(exitCode == 1)
        #expect(lines.count { $0.contains("/nonexistent/synod cannot be started") } == 1)
        stage.remove()
    }

    @Test func aStubbornReplicaIsKilledWhenAskedTwice() async throws {
        let stage = try Stage(
            "trap '' TERM; echo ready to serve client requests; while :; do sleep 0.1; done")
        let start = ContinuousClock.now
        let (exitCode, _) = await run(stage) { line, report in
            if line.hasPrefix("starting") { report(sightings(leader: 1)) }
            if line.contains("Try this") { report(.stopRequested) }
            if line.contains("stopping") { report(.stopRequested) }
        }
        #expect(exitCode == 0)
        #expect(ContinuousClock.now - start < .seconds(4), "Sooner than the patience ends.")
        stage.remove()
    }

    @Test func aReplicaGetsNoOpenFilesButItsOwn() async throws {
        let null = open("/dev/null", O_RDONLY)
        let inherited = fcntl(null, F_DUPFD, 900)
        defer {
            close(null)
            close(inherited)
        }
        let stage = try Stage("[ -e /dev/fd/\(inherited) ] && echo leak; exit 3")
        let (_, lines) = await run(stage) { _, _ in }
        #expect(lines.contains { $0.contains("exited with code 3") })
        #expect(!lines.contains { $0.contains("leak") })
        stage.remove()
    }

    @Test func aChangeOfLeaderIsShown() async throws {
        let stage = try Stage(Self.obedient)
        let (_, lines) = await run(stage) { line, report in
            if line.hasPrefix("starting") { report(sightings(leader: 1)) }
            if line.contains("Try this") { report(sightings(leader: 3)) }
            if line.contains("leads now") { report(.stopRequested) }
        }
        #expect(lines.contains("n3 leads now; n1 led before"))
        stage.remove()
    }

    @Test func portsInUseAreNamed() throws {
        let holder = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(holder) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let port =
            withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                    bind(holder, raw, size) == 0 && listen(holder, 1) == 0
                        && getsockname(holder, raw, &size) == 0
                }
            } ? Int(UInt16(bigEndian: address.sin_port)) : 0
        var configuration = ClusterConfiguration()
        configuration.replicas = 1
        configuration.basePort = port - 1
        let error = #expect(throws: ClusterError.self) {
            try checkPorts(of: ReplicaPlan.all(of: configuration))
        }
        #expect(error?.description.contains("\(port) (for peers of n1)") == true)
    }

    @Test func optionsOutOfRangeAreNamed() throws {
        var configuration = ClusterConfiguration()
        configuration.replicas = 10
        #expect(throws: ClusterError.self) { try configuration.check() }
        configuration.replicas = 9
        configuration.basePort = 65_454
        #expect(throws: ClusterError.self) { try configuration.check() }
        configuration.basePort = 65_453
        try configuration.check()
        #expect(ReplicaPlan.all(of: configuration).last?.metricsPort == 65_535)
    }
}
