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
