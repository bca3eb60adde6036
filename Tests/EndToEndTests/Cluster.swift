import EtcdWire
import Foundation
import SynodClient
import Testing

/// Replicas that a test starts, breaks and mends.
struct Cluster {
    let replicas: [Replica]
    /// Holds their data and logs; removed at the end.
    let directory: String
    /// Flags for every replica beside those that make them a cluster.
    let flags: [String]
    private let server: [String]

    /// Starts a cluster, waits until every replica serves, and ends it after `body`, come what may.
    static func run(
        size: Int, flags: [String] = [], server: [String] = Programs.server,
        isolation: isolated (any Actor)? = #isolation, _ body: (Cluster) async throws -> Void
    ) async throws {
        let directory = NSTemporaryDirectory() + "synod-end-to-end-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        let cluster = Cluster(
            replicas: (1...size).map { Replica(name: "n\($0)", in: directory) },
            directory: directory, flags: flags, server: server)
        defer {
            for replica in cluster.replicas where replica.wasStarted { replica.kill() }
            try? FileManager.default.removeItem(atPath: directory)
        }
        do {
            for replica in cluster.replicas { try cluster.start(replica) }
            for replica in cluster.replicas { try await replica.waitUntilReady() }
            try await body(cluster)
        } catch {
            throw TestFailure("\(error)\n\(cluster.logTails())")
        }
    }

    /// Starts a replica that is not running, with the flags of its first start.
    func start(_ replica: Replica) throws {
        try replica.start(replica.flags(in: replicas, extra: flags), server: server)
    }

    var endpoints: String { replicas.map(\.endpoint).joined(separator: ",") }

    func others(than replica: Replica) -> [Replica] { replicas.filter { $0 !== replica } }

    /// The replica that leads, once some replica knows it.
    func leader(askedOf asked: [Replica]? = nil) async throws -> Replica {
        try await eventually("a replica leads") {
            for replica in asked ?? replicas where replica.process.exitStatus == nil {
                let status = try await replica.status()
                if status.leader == status.header.memberID { return replica }
            }
            return nil
        }
    }

    /// Waits until all have applied the newest revision; then their checksums there must agree.
    func expectEqualHashes(_ location: SourceLocation = #_sourceLocation) async throws {
        let revision = try await withClient(replicas[0]) {
            try await $0.put(.pair("hash", "")).header.revision
        }
        var hashes: [UInt32] = []
        for replica in replicas {
            try await replica.waitUntilApplied(revision)
            hashes.append(try await replica.hash(at: revision))
        }
        #expect(Set(hashes).count == 1, "at revision \(revision)", sourceLocation: location)
    }

    private func logTails() -> String {
        replicas.filter(\.wasStarted).map { replica in
            "--- \(replica.name)\n" + replica.process.output().suffix(1500)
        }.joined(separator: "\n")
    }
}
