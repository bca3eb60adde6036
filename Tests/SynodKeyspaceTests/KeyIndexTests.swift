import SynodBytes
import SynodKeyspace
import Testing

/// The ordered index and the hash table beside it, with enough keys for chunks to split and merge.
@Suite struct KeyIndexTests {
    private struct Reference {
        var live: Set<Bytes> = []
        var known: Set<Bytes> = []
    }

    private func key(_ number: UInt64) -> Bytes {
        Bytes("key/\(mix64(number) % 4096)".utf8)
    }

    @Test(arguments: [1, 2] as [UInt64])
    func itEqualsASortedList(seed: UInt64) {
        var prng = PRNG(seed: seed)
        var index = KeyIndex()
        var reference = Reference()
        for step in 1...15_000 as ClosedRange<Int64> {
            // It grows, then shrinks, then grows again.
            let isShrinking = (6000..<11_000).contains(step)
            let key = key(prng.below(5000))
            let mark = Mark(main: step, sub: 0, isTombstone: false, byteCount: 20)
            let found = index.find(key[...])
            #expect((found != nil) == reference.known.contains(key))
            if !prng.chance(isShrinking ? 4 : 1, in: 5) {
                _ = index.put(
                    key[...], entry: found, mark: mark, createRevision: step, version: 1, lease: 0)
                reference.live.insert(key)
                reference.known.insert(key)
            } else if let found, index[found].isLive {
                let tombstone = Mark(main: step, sub: 0, isTombstone: true, byteCount: 20)
                index.delete(found, mark: tombstone)
                reference.live.remove(key)
            } else if let found {
                index.remove(found)
                reference.known.remove(key)
            }
            if step % 1500 == 0 { compare(index, reference, &prng) }
        }
        #expect(reference.known.count > 1000)
    }

    private func compare(_ index: KeyIndex, _ reference: Reference, _ prng: inout PRNG) {
        let sorted = reference.known.sorted { $0.lexicographicallyPrecedes($1) }
        #expect(index.liveCount == reference.live.count)
        for _ in 0..<20 {
            let lower = key(prng.below(5000))
            let upper = prng.chance(1, in: 4) ? [0] : key(prng.below(5000))
            let range = KeyRange(key: lower[...], rangeEnd: upper[...])
            let expected = sorted.filter { Model.isIn($0, lower[...], upper[...]) }
            var listed: [Bytes] = []
            index.forEach(in: range) { id in
                listed.append(index[id].key)
                return true
            }
            #expect(listed == expected)
            #expect(index.liveCount(in: range) == expected.count(where: reference.live.contains))
        }
    }

    /// Keys that arrive in order fill their chunks.
    @Test func orderedArrivalsPackTightly() {
        var slab = KeySlab()
        var order = KeyOrder()
        for number in 0..<5 * KeyOrder.chunkCapacity {
            let key = Bytes("key/\(number + 1_000_000)".utf8)
            let mark = Mark(main: 2, sub: 0, isTombstone: false, byteCount: 0)
            let id = slab.insert(KeyEntry(key: key, latest: mark))
            let place = order.lowerBound(key[...], in: slab)
            #expect(place == order.end)
            _ = order.insert(id, at: place, in: slab)
        }
        #expect(order.chunks.map(\.ids.count) == Array(repeating: KeyOrder.chunkCapacity, count: 5))
    }

    @Test func aChangeKnowsItsPlace() {
        let mark = Mark(main: .max, sub: .max >> 1, isTombstone: true, byteCount: .max)
        let key = RecordLayout.key(of: mark)
        #expect(key.withUnsafeBytes { RecordLayout.mark($0, valueCount: 0) }?.sub == .max >> 1)
        #expect(mark.isTombstone)
        #expect(mark.byteCount == .max)
    }
}

@Suite struct RecordCacheTests {
    /// Within the budget whatever comes; what is used stays longer than what is not.
    @Test func theBudgetHoldsAndUseCounts() {
        var slab = KeySlab()
        var cache = RecordCache(budget: 10_000)
        let mark = Mark(main: 2, sub: 0, isTombstone: false, byteCount: 0)
        let ids = (0..<300).map { slab.insert(KeyEntry(key: [UInt8($0 % 256)], latest: mark)) }
        var prng = PRNG(seed: 3)
        for round in 0..<5000 {
            let id = ids[Int(prng.below(300))]
            let record =
                prng.chance(1, in: 10) ? nil : Bytes(repeating: 1, count: Int(prng.below(400)))
            cache.put(record, for: id, in: &slab)
            slab[ids[0]].isReferencedInCache = true
            if round % 50 == 0 { cache.put([1], for: ids[0], in: &slab) }
            #expect(cache.used <= 10_000)
        }
        let kept = ids.compactMap { slab[$0].cachedRecord }
        #expect(kept.reduce(0) { $0 + $1.count + 48 } == cache.used)
        #expect(slab[ids[0]].cachedRecord == [1])
        #expect(kept.count > 10)
    }
}
