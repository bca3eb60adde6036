import EtcdWire
import Foundation
import Synchronization
import SynodClient

/// One server of a test: its flags, its directory and, while it runs, its process.
final class Replica: Sendable {
    let name: String
    let clientPort: Int
    let peerPort: Int
    let metricsPort: Int
    let dataDirectory: String
    let log: String
    private let running = Mutex<ChildProcess?>(nil)

    init(name: String, in directory: String) {
        self.name = name
        clientPort = Ports.free()
        peerPort = Ports.free()
        metricsPort = Ports.free()
        dataDirectory = directory + "/" + name
        log = directory + "/" + name + ".log"
    }

    var endpoint: String { "127.0.0.1:\(clientPort)" }
    var peerURL: String { "http://127.0.0.1:\(peerPort)" }
    var metricsURL: String { "http://127.0.0.1:\(metricsPort)" }

    /// The flags that start it as a member of `cluster`; a later flag of `extra` wins.
    func flags(in cluster: [Replica], extra: [String]) -> [String] {
        [
            "--name", name, "--data-dir", dataDirectory,
            "--listen-client-urls", "http://\(endpoint)",
            "--advertise-client-urls", "http://\(endpoint)",
            "--listen-peer-urls", peerURL, "--initial-advertise-peer-urls", peerURL,
            "--listen-metrics-urls", metricsURL, "--initial-cluster",
            cluster.map { "\($0.name)=\($0.peerURL)" }.joined(separator: ","),
            "--initial-cluster-token", "end-to-end", "--initial-cluster-state", "new",
        ] + extra
    }

    func start(_ flags: [String], server: [String] = Programs.server) throws {
        let process = try ChildProcess(server + flags, log: log)
        running.withLock { $0 = process }
    }

    /// The process started last, ended or not.
    var process: ChildProcess {
        guard let process = running.withLock({ $0 }) else {
            preconditionFailure("A replica is started before its process is asked for.")
        }
        return process
    }

    var wasStarted: Bool { running.withLock { $0 != nil } }
    func kill() { process.kill() }
    func pause() { process.signal(SIGSTOP) }
    func resume() { process.signal(SIGCONT) }

    /// Removes everything it stored; it must not be running.
    func wipe() throws { try FileManager.default.removeItem(atPath: dataDirectory) }

    /// The names of what its data directory keeps of the member.
    func files() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: dataDirectory + "/member").sorted()
    }

    func copyData(to path: String) throws {
        try FileManager.default.copyItem(atPath: dataDirectory, toPath: path)
    }

    /// Puts back what ``copyData(to:)`` kept.
    func restoreData(from path: String) throws {
        try wipe()
        try FileManager.default.copyItem(atPath: path, toPath: dataDirectory)
    }

    /// Waits until it answers a linearizable read, which takes a connected majority.
    func waitUntilReady(within limit: Duration = .seconds(20)) async throws {
        try await withClient(self, timeout: .seconds(2)) { client in
            try await eventually("\(name) answers a linearizable read", within: limit) {
                guard self.process.exitStatus == nil else {
                    throw TestFailure("\(self.name) ended:\n\(self.process.output().suffix(2000))")
                }
                return try await client.range(.key("ready"))
            }
        }
    }

    /// Waits until it has executed everything through `revision`, by what it stores itself.
    func waitUntilApplied(_ revision: Int64, within limit: Duration = .seconds(30)) async throws {
        try await withClient(self) { client in
            try await eventually("\(name) has applied revision \(revision)", within: limit) {
                let now = try await client.range(.key("ready", serializable: true)).header.revision
                return now >= revision ? now : nil
            }
        }
    }

    func status() async throws -> EtcdStatusResponse {
        try await withClient(self) { try await $0.status(endpoint: endpoint) }
    }

    /// The checksum of the keys at a revision.
    func hash(at revision: Int64) async throws -> UInt32 {
        try await withClient(self) {
            try await $0.hashKV(endpoint: endpoint, revision: revision).hash
        }
    }
}
