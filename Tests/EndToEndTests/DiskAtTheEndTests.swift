import EtcdWire
import Foundation
import SynodClient
import Testing

/// A disk that fails or hangs while a replica is on its way to the end.
@Suite(.enabled(if: !Programs.isServerEtcd && Programs.strace != nil, "needs strace"))
struct DiskAtTheEndTests {
    @Test(
        arguments: [
            // A second later than it was asked to end.
            ("delay_enter=1500000:error=EIO", "storage failed, so this replica stops"),
            // For ever, as far as this test goes.
            ("delay_enter=600000000", "a disk that does not answer"),
        ])
    func whatTheDiskDoesIsTold(injection: String, sentence: String) async throws {
        try await Cluster.run(size: 1) { cluster in
            let replica = cluster.replicas[0]
            let tracer = try ChildProcess(
                [
                    Programs.strace ?? "", "-f", "-o", "/dev/null", "-p", "\(replica.process.id)",
                    "-e", "trace=fdatasync", "-e", "inject=fdatasync:\(injection)",
                ], log: cluster.directory + "/tracer.log")
            defer { tracer.kill() }
            try await eventually("it is traced") {
                tracer.output().contains("attached") ? true : nil
            }
            let write = Task {
                try await withClient(replica, timeout: .seconds(2)) {
                    try await $0.put(.pair("k", "v"))
                }
            }
            // More than once in a row: the tracer holds threads for a moment when it attaches, too.
            var held = 0
            try await eventually("a write is under way") {
                held = Self.isWriting(replica.process.id) ? held + 1 : 0
                return held == 3 ? true : nil
            }
            replica.process.signal(SIGTERM)
            try await eventually("it says \(sentence)") {
                replica.process.output().contains(sentence) ? true : nil
            }
            // It holds the thread that writes, also beyond the end of the process.
            tracer.kill()
            #expect(try await replica.process.exitStatus(within: .seconds(20)) == 1)
            await #expect(throws: ClientError.self) { try await write.value }
        }
    }

    /// Whether the tracer holds the thread that writes the log, which otherwise sleeps.
    private static func isWriting(_ process: pid_t) -> Bool {
        let tasks = "/proc/\(process)/task"
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []
        return threads.contains { thread in
            let status = FileManager.default.contents(atPath: "\(tasks)/\(thread)/status") ?? Data()
            let text = String(decoding: status, as: UTF8.self)
            return text.contains("Name:\tsynod-log\n") && text.contains("State:\tt ")
        }
    }
}
