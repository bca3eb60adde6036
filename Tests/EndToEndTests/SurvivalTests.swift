import EtcdWire
import Foundation
import SynodClient
import Testing

/// No acknowledged write is lost, whichever processes die or stop.
@Suite(.serialized) struct SurvivalTests {
    private static let rounds = Programs.runsLong ? 10 : 1

    @Test func eachMemberIsKilledAndRestartedUnderLoad() async throws {
        try await Cluster.run(size: 3) { cluster in
            let load = await Workload.start(writers: 4, to: cluster.replicas)
            for _ in 0..<Self.rounds {
                for victim in cluster.replicas {
                    try await load.waitForProgress(200)
                    victim.kill()
                    try await load.waitForProgress(200)
                    try cluster.start(victim)
                    try await victim.waitUntilReady()
                }
            }
            await load.stop()
            for replica in cluster.replicas { try await load.expectNothingLost(at: replica) }
            try await cluster.expectEqualHashes()
        }
    }

    @Test func allMembersAreKilledAtOnceUnderLoad() async throws {
        try await Cluster.run(size: 3) { cluster in
            let load = await Workload.start(writers: 8, to: cluster.replicas)
            for _ in 0..<Self.rounds {
                try await load.waitForProgress(500)
                for replica in cluster.replicas { replica.kill() }
                for replica in cluster.replicas { try cluster.start(replica) }
                for replica in cluster.replicas { try await replica.waitUntilReady() }
            }
            await load.stop()
            for replica in cluster.replicas { try await load.expectNothingLost(at: replica) }
            try await cluster.expectEqualHashes()
        }
    }

    @Test func aSingleReplicaIsKilledUnderLoad() async throws {
        try await Cluster.run(size: 1) { cluster in
            let load = await Workload.start(writers: 8, to: cluster.replicas)
            for _ in 0..<2 * Self.rounds {
                try await load.waitForProgress(300)
                cluster.replicas[0].kill()
                try cluster.start(cluster.replicas[0])
                try await cluster.replicas[0].waitUntilReady()
            }
            await load.stop()
            try await load.expectNothingLost(at: cluster.replicas[0])
        }
    }

    @Test func theLeaderIsStoppedForAWhile() async throws {
        try await Cluster.run(size: 3) { cluster in
            let leader = try await cluster.leader()
            let others = cluster.others(than: leader)
            let load = await Workload.start(writers: 4, to: others)
            try await load.waitForProgress(100)
            leader.pause()
            try await load.waitForProgress(100)
            let next = try await cluster.leader(askedOf: others)
            #expect(next !== leader)
            leader.resume()
            await load.stop()
            for replica in cluster.replicas { try await load.expectNothingLost(at: replica) }
            try await cluster.expectEqualHashes()
        }
    }

    @Test func aResumedLeaderServesNothingStale() async throws {
        try await Cluster.run(size: 3) { cluster in
            let leader = try await cluster.leader()
            let others = cluster.others(than: leader)
            try await withClient(leader) { try await $0.put(.pair("k", "old")) }
            leader.pause()
            _ = try await cluster.leader(askedOf: others)
            try await withClient(others[0]) { client in
                try await eventually("the others write") {
                    try await client.put(.pair("k", "new"))
                }
            }
            // The read arrives while the leader is stopped, and is the first thing that it sees.
            async let read = withClient(leader) { client in
                try await eventually("the old leader answers") {
                    try await client.range(.key("k"))
                }
            }
            try await Task.sleep(for: .milliseconds(50))
            leader.resume()
            #expect(try await read.kvs.first?.value == Data("new".utf8))
        }
    }

    @Test func everyMemberReadsEveryAcknowledgedWrite() async throws {
        try await Cluster.run(size: 3) { cluster in
            for number in 0..<100 {
                let writer = cluster.replicas[number % 3]
                let value = Data("\(number)".utf8)
                try await withClient(writer) { try await $0.put(.pair("k", "\(number)")) }
                for replica in cluster.replicas {
                    let read = try await withClient(replica) { try await $0.range(.key("k")) }
                    #expect(read.kvs.first?.value == value, "read at \(replica.name)")
                }
            }
        }
    }

    @Test func terminatedReplicasExitCleanly() async throws {
        try await Cluster.run(size: 3) { cluster in
            for _ in 0..<3 * Self.rounds {
                let load = await Workload.start(writers: 2, to: cluster.replicas)
                try await load.waitForProgress(200)
                for replica in cluster.replicas { replica.process.signal(SIGTERM) }
                for replica in cluster.replicas {
                    let status = try await replica.process.exitStatus(within: .seconds(20))
                    // An etcd that is told to end raises the signal again when it has cleaned up.
                    #expect(status == 0 || (Programs.isServerEtcd && status == -SIGTERM))
                }
                for replica in cluster.replicas { try cluster.start(replica) }
                for replica in cluster.replicas { try await replica.waitUntilReady() }
                await load.stop()
                for replica in cluster.replicas { try await load.expectNothingLost(at: replica) }
            }
        }
    }
}
