import Foundation
import Testing

/// A replica that was away comes back to the others' state.
@Suite struct CatchUpTests {
    @Test func aShortAbsenceIsMadeUpFromTheLog() async throws {
        try await Cluster.run(size: 3) { cluster in
            let (before, after) = try await comeBack(to: cluster, after: 300)
            #expect(before == after)
        }
    }

    @Test func aLongAbsenceIsMadeUpFromASnapshot() async throws {
        let flags = ["--snapshot-count", "100"]
        try await Cluster.run(size: 3, flags: flags) { cluster in
            let puts = Programs.runsLong ? 60_000 : 12_000
            let (before, after) = try await comeBack(to: cluster, after: puts)
            #expect(before != after || Programs.isServerEtcd)
        }
    }

    /// Its log is whole, so that what it has promised and accepted is known.
    @Test(.enabled(if: !Programs.isServerEtcd, "an etcd keeps its state in other files"))
    func aDamagedStateIsMovedAwayAndFetched() async throws {
        try await Cluster.run(size: 3, flags: ["--snapshot-count", "100"]) { cluster in
            let leader = try await cluster.leader()
            let victim = cluster.others(than: leader)[0]
            let state = victim.dataDirectory + "/member/state-1"
            let load = await Workload.start(writers: 16, to: [leader])
            try await load.waitForProgress(5_000)
            try await eventually("\(victim.name) has flushed its state") {
                try tables(in: state).isEmpty ? nil : true
            }
            victim.kill()
            for table in try tables(in: state) { try damage(table) }
            try cluster.start(victim)
            #expect(try await victim.process.exitStatus(within: .seconds(10)) > 0)
            #expect(victim.process.output().contains("move its directory away"))
            try FileManager.default.moveItem(atPath: state, toPath: victim.dataDirectory + "/old")
            try cluster.start(victim)
            try await victim.waitUntilReady()
            await load.stop()
            try await load.expectNothingLost(at: victim)
            try await cluster.expectEqualHashes()
        }
    }

    private func tables(in state: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: state)
            .filter { $0.hasSuffix(".sst") }.map { state + "/" + $0 }
    }

    private func damage(_ path: String) throws {
        let file = try FileHandle(forUpdating: URL(filePath: path))
        try file.seek(toOffset: 100)
        try file.write(contentsOf: [UInt8](repeating: 0xff, count: 8))
        try file.close()
    }

    /// Kills a replica, writes so many keys elsewhere, starts it, and compares. Returns the files of
    /// the replica before and after: a snapshot comes with a state store of its own.
    private func comeBack(
        to cluster: Cluster, after puts: Int
    ) async throws -> (before: [String], after: [String]) {
        let leader = try await cluster.leader()
        let others = cluster.others(than: leader)
        let absent = others[0]
        let load = await Workload.start(writers: 16, to: [leader, others[1]])
        try await load.waitForProgress(50)
        absent.kill()
        let before = try absent.files()
        try await load.waitForProgress(puts, within: .seconds(120))
        try cluster.start(absent)
        try await absent.waitUntilReady()
        await load.stop()
        try await load.expectNothingLost(at: absent)
        try await cluster.expectEqualHashes()
        return (before, try absent.files())
    }
}
