import SynodBytes
import SynodStorage
import Testing

/// What the memory store can do beyond a ``Store``: crash, fail, fill up and lie.
@Suite struct MemoryStoreTests {
    private let broken = StorageError(.io, "The disk broke.")

    @Test func aCrashKeepsWhatIsSyncedAndAnyPrefixOfTheRest() throws {
        let store = MemoryStore()
        try store.put("a", "1")
        try store.put("a", "2", durability: .synced)
        #expect(store.unsyncedBatchCount == 0)
        try store.put([Pair("a", "3"), Pair("b", "3"), Pair("a", "4")])
        var batch = WriteBatch()
        batch.deleteRange(from: Bytes("a".utf8), to: Bytes("z".utf8))
        batch.put(Bytes("c".utf8), Bytes("5".utf8))
        try store.write(batch, durability: .buffered)
        #expect(store.unsyncedBatchCount == 2)

        #expect(try store.crashImage(keepingUnsynced: 0).pairs() == [Pair("a", "2")])
        let one = store.crashImage(keepingUnsynced: 1)
        #expect(try one.pairs() == [Pair("a", "4"), Pair("b", "3")])
        #expect(one.unsyncedBatchCount == 0)
        #expect(try store.crashImage(keepingUnsynced: 2).pairs() == [Pair("c", "5")])
        #expect(try store.pairs() == [Pair("c", "5")])
    }

    /// Every crash image of a random history is the state after some number of batches.
    @Test(arguments: [UInt64(1), 2, 3, 4])
    func crashImagesAreEarlierStates(_ seed: UInt64) throws {
        var random = PRNG(seed: seed)
        let store = MemoryStore()
        var states: [[Pair]] = [[]]
        for _ in 0..<150 {
            var batch = WriteBatch()
            for _ in 0..<random.below(6) {
                let key = bigEndian(Int(random.below(300)))
                switch random.below(8) {
                case 0: batch.deleteRange(from: key, to: bigEndian(Int(random.below(300))))
                case 1: batch.delete(key)
                default: batch.put(key, bigEndian(Int(random.below(1000))))
                }
            }
            try store.write(batch, durability: .buffered)
            states.append(try store.pairs())
            if random.chance(1, in: 10) {
                try store.flush()
                states = [try store.pairs()]
            }
        }
        #expect(states.count > 1)
        for (kept, state) in states.enumerated() {
            #expect(try store.crashImage(keepingUnsynced: kept).pairs() == state)
        }
    }

    @Test func aFailedWriteChangesNothingAndIsTheLast() throws {
        let store = MemoryStore()
        store.fail(.write, at: 2, with: broken)
        try store.put("a", "1")
        #expect(throws: broken) { try store.put("a", "2") }
        #expect(throws: broken) { try store.put("a", "3", durability: .synced) }
        #expect(throws: broken) { try store.flush() }
        #expect(try store.get("a") == "1")
        #expect(store.count(of: .write) == 2)
        #expect(store.count(of: .sync) == 0)
    }

    @Test func aFailedSyncLeavesABatchThatMayBeLost() throws {
        let store = MemoryStore()
        store.fail(.sync, at: 2, with: broken)
        try store.put("a", "1", durability: .synced)
        #expect(throws: broken) { try store.put("a", "2", durability: .synced) }
        #expect(throws: broken) { try store.put("a", "3") }
        #expect(try store.crashImage(keepingUnsynced: 0).get("a") == "1")
        let image = store.crashImage(keepingUnsynced: 1)
        #expect(try image.get("a") == "2")
        try image.put("a", "4", durability: .synced)
    }

    @Test func readsFailWhenTold() throws {
        let store = MemoryStore()
        let rotten = StorageError(.corrupt, "A checksum does not match.")
        try store.put("a", "1")
        let view = store.view()
        for number in 2...4 { store.fail(.read, at: UInt64(number), with: rotten) }
        #expect(try store.get("a") == "1")
        #expect(throws: rotten) { try store.get("a") }
        #expect(throws: rotten) { try store.pairs() }
        #expect(throws: rotten) { try view.pairs() }
        #expect(try store.get("a") == "1")
        try store.put("a", "2")
    }

    /// Whoever reads there finds it, in pictures and after crashes as well; nobody else does.
    @Test func damageIsFoundWhereItIs() throws {
        let store = MemoryStore()
        for key in ["a", "b", "c"] { try store.put(key, "1", durability: .synced) }
        let view = store.view()
        store.damage(Bytes("b".utf8))
        for store in [store, store.crashImage(keepingUnsynced: 0), store.copy()] {
            #expect(store.isDamaged)
            #expect(throws: StorageError.self) { try store.get("b") }
            #expect(throws: StorageError.self) { try store.pairs() }
            #expect(throws: StorageError.self) { try store.view().pairs() }
            #expect(try store.get("a") == "1")
            #expect(try store.pairs(limit: 1) == [Pair("a", "1")])
            #expect(try store.pairs(to: Bytes("b".utf8)).count == 1)
            #expect(try store.pairs(from: Bytes("c".utf8)).count == 1)
            #expect(try store.unnoticed { try store.pairs().count } == 3)
        }
        let error = #expect(throws: StorageError.self) { try view.pairs() }
        #expect(error?.kind == .corrupt)
    }

    @Test func theMarkTellsWhatWasAcknowledged() throws {
        let store = MemoryStore()
        try store.put("a", "1", durability: .synced)
        try store.put("b", "1")
        #expect(store.extent == LogExtent(lastRecord: 2, durableThrough: 1))
        try store.crashImage(keepingUnsynced: 0).extent.refuseLoss(in: "memory")
        store.liesAboutSyncs = true
        try store.flush()
        try store.crashImage(keepingUnsynced: 1).extent.refuseLoss(in: "memory")
        let error = #expect(throws: StorageError.self) {
            try store.crashImage(keepingUnsynced: 0).extent.refuseLoss(in: "memory")
        }
        #expect(error?.kind == .corrupt)
    }

    @Test func aBatchThatDoesNotFitLeavesNothingBehind() throws {
        let store = MemoryStore()
        store.capacity = 10
        try store.put("key", "1234567")
        #expect(store.approximateSize == 10)
        try store.put("key", "7654321")
        let error = try #require(throws: StorageError.self) {
            try store.put([Pair("key", "1"), Pair("other", "12345")])
        }
        #expect(error.kind == .full)
        #expect(try store.pairs() == [Pair("key", "7654321")])
        #expect(throws: error) { try store.put("key", "") }
        #expect(store.crashImage(keepingUnsynced: 2).capacity == 10)
    }

    @Test func syncsThatLieMakeNothingDurable() throws {
        let store = MemoryStore()
        store.liesAboutSyncs = true
        try store.put("a", "1", durability: .synced)
        try store.flush()
        #expect(store.unsyncedBatchCount == 1)
        #expect(try store.crashImage(keepingUnsynced: 0).get("a") == nil)
        store.liesAboutSyncs = false
        try store.flush()
        #expect(try store.crashImage(keepingUnsynced: 0).get("a") == "1")
    }

    @Test func copiesGoTheirOwnWays() throws {
        let store = MemoryStore()
        try store.put("a", "1")
        let copy = store.copy()
        #expect(copy.unsyncedBatchCount == 1)
        #expect(copy.count(of: .write) == 1)
        try copy.put("a", "2", durability: .synced)
        #expect(try store.get("a") == "1")
        #expect(store.unsyncedBatchCount == 1)
    }
}
