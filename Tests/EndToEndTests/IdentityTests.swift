import Foundation
import SynodClient
import Testing

/// A data directory that is not the one a replica left is refused, in words that say what to do.
@Suite(.enabled(if: !Programs.isServerEtcd, "an etcd does not promise this"))
struct IdentityTests {
    @Test func aWipedDirectoryIsRefused() async throws {
        try await Cluster.run(size: 3) { cluster in
            let victim = cluster.replicas[0]
            try await withClient(victim) { try await $0.put(.pair("k", "v")) }
            victim.kill()
            try victim.wipe()
            try cluster.start(victim)
            try await expectRefused(
                victim, in: cluster, because: "another data directory than before")
        }
    }

    @Test func aRolledBackDirectoryIsRefused() async throws {
        try await Cluster.run(size: 3) { cluster in
            let victim = cluster.replicas[0]
            let copy = cluster.directory + "/copy"
            victim.kill()
            try victim.copyData(to: copy)
            try cluster.start(victim)
            try await victim.waitUntilReady()
            try await withClient(victim) { try await $0.put(.pair("k", "v")) }
            victim.kill()
            try victim.restoreData(from: copy)
            try cluster.start(victim)
            try await expectRefused(victim, in: cluster, because: "an older copy")
        }
    }

    @Test func anotherMembersDirectoryIsRefused() async throws {
        try await Cluster.run(size: 3) { cluster in
            let (victim, other) = (cluster.replicas[0], cluster.replicas[1])
            victim.kill()
            other.kill()
            try victim.wipe()
            try other.copyData(to: victim.dataDirectory)
            try cluster.start(other)
            try await other.waitUntilReady()
            try cluster.start(victim)
            #expect(try await victim.process.exitStatus(within: .seconds(10)) > 0)
            #expect(victim.process.output().contains("belongs to member"))
        }
    }

    @Test func aDirectoryOfAnotherClusterIsRefused() async throws {
        try await Cluster.run(size: 1) { cluster in
            let replica = cluster.replicas[0]
            replica.kill()
            let flags =
                replica.flags(in: cluster.replicas, extra: [])
                + ["--initial-cluster-token", "another"]
            try replica.start(flags)
            #expect(try await replica.process.exitStatus(within: .seconds(10)) > 0)
            #expect(replica.process.output().contains("of cluster"))
        }
    }

    @Test func aSecondProcessOnOneDirectoryIsRefused() async throws {
        try await Cluster.run(size: 1) { cluster in
            let replica = cluster.replicas[0]
            let second = Replica(name: "n1", in: cluster.directory)
            try second.start(second.flags(in: [second], extra: []))
            defer { second.kill() }
            #expect(try await second.process.exitStatus(within: .seconds(10)) > 0)
            #expect(second.process.output().contains("another process"))
            try await replica.waitUntilReady()
        }
    }

    /// The replica must say why it is refused and never serve a linearizable read; the others go on.
    private func expectRefused(
        _ victim: Replica, in cluster: Cluster, because reason: String
    ) async throws {
        try await eventually("\(victim.name) says why it is refused") {
            victim.process.output().contains(reason) ? true : nil
        }
        let others = cluster.others(than: victim)
        try await withClient(others[0]) { try await $0.put(.pair("k", "after")) }
        await #expect(throws: (any Error).self, "a refused replica serves") {
            try await withClient(victim, timeout: .seconds(2)) { try await $0.range(.key("k")) }
        }
    }
}
