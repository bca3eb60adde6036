import SynodBytes
import SynodKeyspace
import Testing

/// The figures are those that etcd 3.4.23 told (`etcdctl endpoint hashkv`) after the same history.
@Suite struct HashKVTests {
    /// Puts, deletions, a transaction and ranges of deletions up to revision 9.
    private static func history(_ setting: inout Setting) throws {
        #expect(try setting.hash() == 1_084_519_789)
        try setting.put("a", "1")
        #expect(try setting.hash() == 2_587_454_935)
        try setting.put("b", "22")
        try setting.put("a", "333")
        #expect(try setting.hash() == 734_767_682)
        try setting.delete("b")
        #expect(try setting.hash() == 2_763_738_174)
        let transaction = TxnRequest([
            .put(PutRequest("c", "x")), .put(PutRequest("d", "")),
            .deleteRange(DeleteRangeRequest("a")),
        ])
        _ = try setting.run(.txn(transaction)).get()
        #expect(try setting.hash() == 2_760_462_452)
        try setting.put("b", "again")
        try setting.delete("c", "d0")
        #expect(try setting.hash() == 1_742_294_214)
        try setting.put("e", "5")
        #expect(try setting.hash() == 250_630_975)
    }

    @Test func equalsEtcdAtEveryRevision() throws {
        var setting = try Setting()
        try Self.history(&setting)
        #expect(try setting.hash(5) == 2_763_738_174)
        #expect(try setting.hash(6) == 2_760_462_452)
        #expect(try setting.keyspace.hashKV(revision: 10) == .failure(.futureRevision))
    }

    /// Whether the removal after each compaction has been done makes no difference.
    @Test(arguments: [true, false]) func equalsEtcdAfterCompaction(isRemoved: Bool) throws {
        var setting = try Setting()
        func check(_ setting: inout Setting, _ expected: UInt32) throws {
            if isRemoved { try setting.finishCompaction() }
            #expect(setting.keyspace.isCompactionFinished == isRemoved)
            #expect(try setting.hash() == expected)
        }
        try Self.history(&setting)
        try setting.compact(5)
        try check(&setting, 2_258_409_058)
        #expect(try setting.hash(6) == 3_368_651_766)
        #expect(try setting.hash(7) == 2_238_926_426)
        #expect(try setting.keyspace.hashKV(revision: 4) == .failure(.compacted))
        try setting.compact(7)
        try check(&setting, 483_974_906)
        try setting.delete("\0", "\0")
        #expect(try setting.hash() == 198_954_340)
        try setting.compact(8)
        try check(&setting, 2_482_051_273)
        #expect(try setting.hash(9) == 3_281_801_436)
        try setting.compact(10)
        try check(&setting, 1_084_519_789)
        try setting.put("f", "1")
        #expect(try setting.hash() == 3_524_369_987)
        try setting.restart()
        #expect(try setting.hash() == 3_524_369_987)
    }

    /// The hash tells of nothing before it is committed.
    @Test func coversWhatIsCommitted() throws {
        var setting = try Setting()
        for (key, value) in [("a", "1"), ("b", "22"), ("a", "333")] {
            try setting.apply(Command.put(PutRequest(key, value)).bytes)
        }
        #expect(try setting.hash() == 1_084_519_789)
        try setting.keyspace.commit(through: 1, revision: 2, outcomes: [])
        #expect(try setting.hash() == 2_587_454_935)
        try setting.commit()
        #expect(try setting.hash() == 734_767_682)
    }
}
