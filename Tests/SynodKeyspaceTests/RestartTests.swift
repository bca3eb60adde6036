import SynodBytes
import SynodKeyspace
import SynodStorage
import Testing

/// What a keyspace finds in its store after a stop or a crash.
@Suite struct RestartTests {
    @Test func aFreshStoreIsEmpty() throws {
        let keyspace = try Keyspace(store: MemoryStore())
        #expect(keyspace.revision == 1)
        #expect(keyspace.compactRevision == -1)
        #expect(keyspace.appliedThrough == 0)
        #expect(keyspace.keyCount == 0)
        #expect(keyspace.isCompactionFinished)
    }

    /// Whichever batches a crash takes back, replaying the log from the position that the store
    /// tells leads to the same state, and no figure goes backwards beyond that position.
    @Test(arguments: [7, 8, 9] as [UInt64])
    func replayAfterAnyCrashLeadsToTheSameState(seed: UInt64) throws {
        var requests = RandomRequests(seed: seed)
        var setting = try Setting()
        var log: [Bytes] = []
        for _ in 0..<400 {
            let command = requests.command(current: setting.revision).bytes
            log.append(command)
            try setting.apply(command, header: nil)
            if requests.prng.chance(1, in: 4) { try setting.commit() }
            if requests.prng.chance(1, in: 4) { _ = try setting.keyspace.compactStep(budget: 4) }
        }
        try setting.commit()
        let expected = try setting.keyspace.hash()
        for kept in stride(from: 0, through: setting.store.unsyncedBatchCount, by: 7) {
            var restarted = try Setting(store: setting.store.crashImage(keepingUnsynced: kept))
            let applied = restarted.keyspace.appliedThrough
            for command in log[Int(applied)...] {
                try restarted.apply(command, header: nil)
            }
            try restarted.commit()
            #expect(try restarted.keyspace.hash() == expected)
            #expect(restarted.keyspace.keyCount == setting.keyspace.keyCount)
            try restarted.finishCompaction()
            #expect(try restarted.keyspace.hash() == expected)
        }
    }

    @Test func figuresAreTheSameAfterARestart() throws {
        var setting = try Setting()
        for number in 0..<700 { try setting.put("key\(number % 40)", "value \(number)") }
        try setting.delete("key1", "key2")
        try setting.compact(400)
        _ = try setting.keyspace.compactStep(budget: 10)
        let before = setting.keyspace
        try setting.restart()
        #expect(setting.keyspace.revision == before.revision)
        #expect(setting.keyspace.compactRevision == 400)
        #expect(setting.keyspace.appliedThrough == before.appliedThrough)
        #expect(setting.keyspace.keyCount == before.keyCount)
        #expect(setting.keyspace.usedBytes == before.usedBytes)
        #expect(!setting.keyspace.isCompactionFinished)
        try setting.finishCompaction()
        #expect(setting.keyspace.isCompactionFinished)
        #expect(setting.keyspace.usedBytes < before.usedBytes)
        try setting.restart()
        #expect(setting.keyspace.isCompactionFinished)
    }

    @Test func alarmsOutliveARestart() throws {
        var setting = try Setting()
        var request = AlarmRequest()
        request.action = .activate
        request.memberID = 5
        request.kind = .noSpace
        _ = try setting.run(.alarm(request)).get()
        try setting.restart()
        #expect(setting.keyspace.alarms == [Alarm(memberID: 5, kind: .noSpace)])
    }

    /// Taking away or changing any single record is noticed when the store is opened.
    @Test func damageIsNoticed() throws {
        var setting = try Setting()
        for number in 0..<6 { try setting.put("k\(number % 3)", "v") }
        try setting.delete("k1")
        setting.revision += 2
        try setting.put("k1", "w")
        var pairs: [(key: Bytes, value: Bytes)] = []
        try setting.store.scan(from: [], to: nil) { key, value in
            pairs.append((Bytes(key), Bytes(value)))
            return true
        }
        #expect(pairs.count == 10)
        for pair in pairs {
            var removal = WriteBatch()
            removal.delete(pair.key)
            try expectCorrupt(setting.store, removal)
            var truncation = WriteBatch()
            truncation.put(pair.key, Bytes(pair.value.dropLast()))
            if pair.value.count > 1 { try expectCorrupt(setting.store, truncation) }
            var copy = WriteBatch()
            copy.put(pair.key + [0], pair.value)
            if pair.key.count > 1 { try expectCorrupt(setting.store, copy) }
        }
    }

    /// Revisions may be skipped anywhere, but only where a record of the gap says so.
    @Test func gapsAreExact() throws {
        var setting = try Setting()
        setting.revision += 1
        try setting.put("a", "1")
        for skipped in [1, 2] as [Int64] {
            setting.revision += skipped
            try setting.apply(Command.put(PutRequest("a", "2")).bytes)
        }
        setting.revision += 3
        try setting.commit()
        #expect(try gaps(setting) == ["2...2", "4...4", "6...7", "9...11"])
        let outcomes = [SlotOutcome(slot: 8, taken: 7), SlotOutcome(slot: 9, taken: 0)]
        try setting.keyspace.commit(through: 4, revision: 11, outcomes: outcomes)
        try setting.restart()
        #expect(setting.keyspace.outcomes == outcomes)
        #expect(setting.keyspace.revision == 11)
        for (from, through) in [(3, 3), (4, 5), (7, 7), (8, 11), (10, 11), (12, 12), (9, 12)] {
            let gap = RevisionGap(from: Int64(from), through: Int64(through))
            var damage = WriteBatch()
            damage.put(gap.key, gap.value)
            try expectCorrupt(setting.store, damage)
        }
        try setting.compact(6)
        try setting.finishCompaction()
        #expect(try gaps(setting) == ["6...7", "9...11"])
        try setting.restart()
        try setting.compact(11)
        try setting.finishCompaction()
        #expect(try gaps(setting).isEmpty)
        try setting.restart()
        #expect(setting.keyspace.revision == 11)
    }

    private func gaps(_ setting: Setting) throws -> [String] {
        var gaps: [String] = []
        let range = RevisionGap.keys(through: .max)
        try setting.store.scan(from: range.lower, to: range.upper) { key, value in
            if let gap = try? RevisionGap(key: key, value: value) {
                gaps.append("\(gap.from)...\(gap.through)")
            }
            return true
        }
        return gaps
    }

    private func expectCorrupt(_ store: MemoryStore, _ damage: WriteBatch) throws {
        let damaged = store.copy()
        try damaged.write(damage, durability: .buffered)
        do throws(StorageError) {
            _ = try Keyspace(store: damaged)
            Issue.record("The damage went unnoticed.")
        } catch {
            #expect(error.kind == .corrupt)
        }
    }

    /// Errors of the store come out as they are.
    @Test func storeErrorsAreThrown() throws {
        var setting = try Setting(cacheBudget: 0)
        try setting.put("a", "1")
        let failure = StorageError(.io, "injected")
        setting.store.fail(.read, at: setting.store.count(of: .read) + 1, with: failure)
        #expect(throws: failure) { try setting.range(RangeRequest("a")) }
        setting.store.fail(.write, at: setting.store.count(of: .write) + 1, with: failure)
        #expect(throws: failure) { try setting.put("a", "2") }
    }
}
