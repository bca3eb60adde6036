import Testing

/// A replica that was away comes back to the others' state.
@Suite struct CatchUpTests {
    @Test func aShortAbsenceIsMadeUpFromTheLog() async throws {
        try await Cluster.run(size: 3) { cluster in
            try await comeBack(to: cluster, after: 300)
        }
    }

    @Test func aLongAbsenceIsMadeUpFromASnapshot() async throws {
        let flags = ["--snapshot-count", "100"]
        try await Cluster.run(size: 3, flags: flags) { cluster in
            try await comeBack(to: cluster, after: Programs.runsLong ? 60_000 : 12_000)
        }
    }

    /// Kills a replica, writes so many keys elsewhere, starts it, and compares.
    private func comeBack(to cluster: Cluster, after puts: Int) async throws {
        let leader = try await cluster.leader()
        let others = cluster.others(than: leader)
        let absent = others[0]
        let load = await Workload.start(writers: 16, to: [leader, others[1]])
        try await load.waitForProgress(50)
        absent.kill()
        try await load.waitForProgress(puts, within: .seconds(120))
        try cluster.start(absent)
        try await absent.waitUntilReady()
        await load.stop()
        try await load.expectNothingLost(at: absent)
        try await cluster.expectEqualHashes()
    }
}
