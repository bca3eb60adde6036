import SynodBytes
import SynodDisk
import SynodStorage
import Testing

/// What ``Store`` promises, asked of every implementation.
@Suite struct StoreConformanceTests {
    @Test(arguments: SubjectKind.allCases)
    func missingKeysHaveNoValueAndEmptyValuesAreValues(_ kind: SubjectKind) throws {
        let store = try Subject(kind).store
        #expect(try store.get("k") == nil)
        try store.put([Pair("k", ""), Pair("", "under the empty key")])
        #expect(try store.get("k") == "")
        #expect(try store.get("") == "under the empty key")
        #expect(try store.get("kk") == nil)
        #expect(try store.pairs().map(\.key) == [[], Bytes("k".utf8)])
    }

    @Test(arguments: SubjectKind.allCases)
    func laterWritesReplaceEarlierOnes(_ kind: SubjectKind) throws {
        let store = try Subject(kind).store
        try store.put([Pair("a", "1"), Pair("a", "2")])
        #expect(try store.get("a") == "2")
        try store.put("a", "3", durability: .synced)
        #expect(try store.get("a") == "3")
        var batch = WriteBatch()
        batch.delete(Bytes("a".utf8))
        batch.delete(Bytes("never there".utf8))
        try store.write(batch, durability: .buffered)
        #expect(try store.get("a") == nil)
        #expect(try store.pairs().isEmpty)
    }

    @Test(arguments: SubjectKind.allCases)
    func aBatchAppliesItsOperationsInOrder(_ kind: SubjectKind) throws {
        let store = try Subject(kind).store
        try store.put([Pair("a", "old"), Pair("b", "old"), Pair("c", "old")])
        var batch = WriteBatch()
        batch.put(Bytes("a".utf8), Bytes("new".utf8))
        batch.deleteRange(from: Bytes("a".utf8), to: Bytes("c".utf8))
        batch.put(Bytes("b".utf8), Bytes("newer".utf8))
        batch.put(Bytes("d".utf8), Bytes("gone".utf8))
        batch.delete(Bytes("d".utf8))
        try store.write(batch, durability: .synced)
        #expect(try store.pairs() == [Pair("b", "newer"), Pair("c", "old")])
    }

    @Test(arguments: SubjectKind.allCases)
    func keysAreOrderedAsUnsignedBytes(_ kind: SubjectKind) throws {
        let store = try Subject(kind).store
        let keys: [Bytes] = [
            [], [0], [0, 0], [0, 1], [1], [0x7f], [0x7f, 0xff], [0x80], [0x80, 0], [0xff],
            [0xff, 0xff], [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0],
        ]
        try store.put(keys.reversed().map { Pair($0, $0) })
        #expect(try store.pairs() == keys.map { Pair($0, $0) })
        for key in keys { #expect(try store.get(key) == key) }
    }

    @Test(arguments: SubjectKind.allCases)
    func scansVisitFromTheLowerBoundUpToTheUpperOne(_ kind: SubjectKind) throws {
        let store = try Subject(kind).store
        let keys: [Bytes] = [[1], [1, 0], [2], [3], [0xff]]
        try store.put(keys.map { Pair($0, []) })
        func visited(_ lower: Bytes, _ upper: Bytes?, limit: Int = .max) throws -> [Bytes] {
            try store.pairs(from: lower, to: upper, limit: limit).map(\.key)
        }
        #expect(try visited([1], [3]) == [[1], [1, 0], [2]])
        #expect(try visited([1, 0], [2, 5]) == [[1, 0], [2]])
        #expect(try visited([3], nil) == [[3], [0xff]])
        #expect(try visited([], [1]) == [])
        #expect(try visited([], []) == [])
        #expect(try visited([2], [2]) == [])
        #expect(try visited([3], [1]) == [])
        #expect(try visited([0xff, 0], nil) == [])
        #expect(try visited([], nil, limit: 2) == [[1], [1, 0]])
    }

    @Test(arguments: SubjectKind.allCases)
    func rangesAreDeletedUpToTheirUpperBound(_ kind: SubjectKind) throws {
        let store = try Subject(kind).store
        try store.put((0..<200).map { Pair([UInt8($0)], [UInt8($0)]) })
        var batch = WriteBatch()
        batch.deleteRange(from: [10] as Bytes, to: [190] as Bytes)
        batch.deleteRange(from: [195] as Bytes, to: [195] as Bytes)
        batch.deleteRange(from: [199] as Bytes, to: [195] as Bytes)
        try store.write(batch, durability: .buffered)
        let expected = (0..<10).map { Pair([$0], [$0]) } + (190..<200).map { Pair([$0], [$0]) }
        #expect(try store.pairs() == expected)
        #expect(try store.get([10]) == nil)
        #expect(try store.get([190]) == [190])
    }

    @Test(arguments: SubjectKind.allCases)
    func viewsAreIsolatedFromLaterWrites(_ kind: SubjectKind) throws {
        let store = try Subject(kind).store
        try store.put([Pair("a", "1"), Pair("b", "1")])
        let view = store.view()
        var batch = WriteBatch()
        batch.put(Bytes("a".utf8), Bytes("2".utf8))
        batch.deleteRange(from: Bytes("b".utf8), to: Bytes("c".utf8))
        try store.write(batch, durability: .synced)
        try store.flush()
        #expect(try view.pairs() == [Pair("a", "1"), Pair("b", "1")])
        #expect(try store.pairs() == [Pair("a", "2")])
        #expect(try store.view().pairs() == [Pair("a", "2")])
    }

    @Test(arguments: SubjectKind.allCases)
    func viewsAreReadOnOtherThreadsBesideWrites(_ kind: SubjectKind) async throws {
        let store = try Subject(kind).store
        try store.put((0..<1000).map { Pair(bigEndian($0), [1]) })
        let view = store.view()
        let reader = Task.detached { try (0..<20).map { _ in try view.pairs().count } }
        for round in 0..<200 { try store.put([Pair(bigEndian(1000 + round), [2])]) }
        #expect(try await reader.value.allSatisfy { $0 == 1000 })
        #expect(try store.pairs().count == 1200)
    }

    @Test(arguments: SubjectKind.allCases)
    func largeValuesComeBackWhole(_ kind: SubjectKind) throws {
        let subject = try Subject(kind)
        let large = Bytes(repeatElement(incompressible, count: 30).joined())
        let longKey = Bytes(repeating: 0xab, count: 100_000)
        try subject.store.put([Pair([1], large), Pair(longKey, large)], durability: .synced)
        #expect(try subject.store.get([1]) == large)
        try subject.reopen()
        #expect(try subject.store.get(longKey) == large)
    }

    @Test(arguments: SubjectKind.allCases)
    func theSizeGrowsWithTheData(_ kind: SubjectKind) throws {
        let store = try Subject(kind).store
        let before = store.approximateSize
        for index in 0..<10 { try store.put([Pair(bigEndian(index), incompressible)]) }
        #expect(store.approximateSize >= before + 900_000)
        #expect(store.approximateSize < before + 10_000_000)
        try store.flush()
        #expect(store.approximateSize >= before + 900_000)
    }

    @Test(arguments: SubjectKind.allCases)
    func everythingIsThereAfterReopening(_ kind: SubjectKind) throws {
        let subject = try Subject(kind)
        let pairs = (0..<500).map {
            Pair(bigEndian($0), Bytes(repeating: UInt8($0 % 251), count: 90))
        }
        for pair in pairs { try subject.store.put([pair]) }
        try subject.store.put("end", "", durability: .synced)
        for _ in 0..<3 { try subject.reopen() }
        #expect(try subject.store.pairs() == pairs + [Pair("end", "")])
    }

    /// Random batches, compared with a dictionary; now and then the store is reopened.
    @Test(arguments: SubjectKind.allCases, [UInt64(1), 2, 3])
    func anyHistoryLeavesWhatADictionaryWouldHold(_ kind: SubjectKind, seed: UInt64) throws {
        let subject = try Subject(kind)
        var random = PRNG(seed: seed)
        var model: [Bytes: Bytes] = [:]
        for step in 0..<400 {
            let batch = randomBatch(&random, updating: &model)
            try subject.store.write(
                batch, durability: random.chance(1, in: 20) ? .synced : .buffered)
            if random.chance(1, in: 40) { try subject.store.flush() }
            if random.chance(1, in: 80) { try subject.reopen() }
            if step % 20 == 0 { try compare(subject.store, model, &random) }
        }
        try compare(subject.store, model, &random)
    }

    private func randomBatch(_ random: inout PRNG, updating model: inout [Bytes: Bytes])
        -> WriteBatch
    {
        var batch = WriteBatch()
        for _ in 0..<random.below(20) {
            let key = randomKey(&random)
            switch random.below(10) {
            case 0:
                let upper = randomKey(&random)
                batch.deleteRange(from: key, to: upper)
                model = model.filter {
                    $0.key.lexicographicallyPrecedes(key)
                        || !$0.key.lexicographicallyPrecedes(upper)
                }
            case 1, 2:
                batch.delete(key)
                model[key] = nil
            default:
                let value = Bytes(repeating: UInt8(random.below(256)), count: Int(random.below(50)))
                batch.put(key, value)
                model[key] = value
            }
        }
        return batch
    }

    private func compare(_ store: any Store, _ model: [Bytes: Bytes], _ random: inout PRNG) throws {
        let expected = model.map { Pair($0.key, $0.value) }
            .sorted { $0.key.lexicographicallyPrecedes($1.key) }
        #expect(try store.pairs() == expected)
        let lower = randomKey(&random)
        let upper = randomKey(&random)
        let between = expected.filter {
            !$0.key.lexicographicallyPrecedes(lower) && $0.key.lexicographicallyPrecedes(upper)
        }
        #expect(try store.pairs(from: lower, to: upper) == between)
        #expect(try store.get(lower) == model[lower])
    }

    private func randomKey(_ random: inout PRNG) -> Bytes {
        let alphabet: Bytes = [0, 1, 0x61, 0x7f, 0x80, 0xff]
        let length = random.chance(1, in: 4) ? 9 + random.below(3) : 1 + random.below(4)
        return (0..<length).map { _ in alphabet[Int(random.below(UInt64(alphabet.count)))] }
    }
}

/// A key whose order is that of the number.
func bigEndian(_ number: Int) -> Bytes {
    var writer = ByteWriter()
    writer.writeBigEndian(UInt64(number))
    return writer.bytes
}
