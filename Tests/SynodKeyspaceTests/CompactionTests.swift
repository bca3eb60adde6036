import SynodBytes
import SynodKeyspace
import SynodStorage
import Testing

@Suite struct CompactionTests {
    /// The keys of all records in the store, as "main_sub" with a "t" for a tombstone.
    private func records(_ setting: Setting) throws -> [String] {
        var records: [String] = []
        try setting.store.scan(from: [UInt8(ascii: "K")], to: [UInt8(ascii: "L")]) { key, value in
            if let mark = RecordLayout.mark(key, valueCount: value.count) {
                records.append("\(mark.main)_\(mark.sub)\(mark.isTombstone ? "t" : "")")
            }
            return true
        }
        return records
    }

    @Test func onlyWhatCanStillBeAskedForStays() throws {
        var setting = try Setting()
        try setting.put("a", "1")
        try setting.put("a", "2")
        try setting.put("b", "1")
        try setting.delete("b")
        try setting.put("a", "3")
        #expect(try records(setting) == ["2_0", "3_0", "4_0", "5_0t", "6_0"])
        try setting.compact(5)
        try setting.finishCompaction()
        // The tombstone of the very revision is kept for a watch that starts there.
        #expect(try records(setting) == ["3_0", "5_0t", "6_0"])
        #expect(try setting.range(RangeRequest("a", revision: 4)) == .failure(.compacted))
        #expect(throws: Never.self) { try setting.range(RangeRequest("a", revision: 5)).get() }
        try setting.restart()
        try setting.compact(6)
        try setting.finishCompaction()
        #expect(try records(setting) == ["6_0"])
    }

    @Test func revisionsOutOfRangeAreRefused() throws {
        var setting = try Setting()
        #expect(try setting.run(.compact(-1)) == .failure(.compacted))
        #expect(try setting.run(.compact(2)) == .failure(.futureRevision))
        #expect(throws: Never.self) { try setting.run(.compact(0)).get() }
        #expect(try setting.run(.compact(0)) == .failure(.compacted))
        try setting.put("a", "1")
        try setting.compact(2)
        #expect(try setting.run(.compact(2)) == .failure(.compacted))
    }

    /// All history may be gone: the revision stays.
    @Test func theRevisionNeverGoesBack() throws {
        var setting = try Setting()
        try setting.put("a", "1")
        try setting.delete("a")
        try setting.compact(3)
        try setting.finishCompaction()
        try setting.restart()
        #expect(setting.keyspace.revision == 3)
        try setting.put("b", "1")
        try setting.compact(4)
        try setting.finishCompaction()
        #expect(try records(setting) == ["4_0"])
        try setting.restart()
        #expect(setting.keyspace.revision == 4)
    }

    /// A step does no more than it may, however long one key's history is.
    @Test func stepsAreBounded() throws {
        var setting = try Setting()
        for number in 0..<1000 { try setting.put("hot", "\(number)") }
        try setting.compact(1000)
        var left = try records(setting).count
        var steps = 0
        while try !setting.keyspace.compactStep(budget: 50) {
            let now = try records(setting).count
            #expect(left - now <= 50)
            left = now
            steps += 1
        }
        #expect(steps >= 18)
        #expect(try records(setting) == ["1000_0", "1001_0"])
    }

    /// Nothing is removed before the compaction itself is in the store, or a crash could leave
    /// history with holes that nobody asked for.
    @Test func nothingIsRemovedBeforeTheCommit() throws {
        var setting = try Setting()
        try setting.put("a", "1")
        try setting.put("a", "2")
        try setting.apply(Command.compact(3).bytes, header: nil)
        #expect(!setting.keyspace.isCompactionFinished)
        #expect(try setting.keyspace.compactStep(budget: 100))
        #expect(try records(setting) == ["2_0", "3_0"])
        try setting.commit()
        try setting.finishCompaction()
        #expect(try records(setting) == ["3_0"])
        #expect(setting.keyspace.isCompactionFinished)
    }

    /// A compaction that comes while the one before is being carried out is carried out after it.
    @Test func compactionsFollowEachOther() throws {
        var setting = try Setting()
        for number in 0..<20 { try setting.put("k\(number % 4)", "\(number)") }
        try setting.compact(10)
        #expect(try !setting.keyspace.compactStep(budget: 3))
        try setting.compact(20)
        try setting.finishCompaction()
        #expect(setting.keyspace.isCompactionFinished)
        #expect(try records(setting) == ["17_0", "18_0", "19_0", "20_0", "21_0"])
    }
}
