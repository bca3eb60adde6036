import SynodBytes

/// Every key that has a record in the store, with the history of its changes: looked up by hash,
/// listed in order.
package struct KeyIndex {
    private(set) var slab = KeySlab()
    private var table = KeyTable()
    private var order = KeyOrder()
    /// Keys that are not deleted.
    package private(set) var liveCount = 0

    package init() {}

    package subscript(id: KeyID) -> KeyEntry {
        @inline(__always) _read { yield slab[id] }
    }

    package func find(_ key: ArraySlice<UInt8>) -> KeyID? {
        key.withUnsafeBytes { table.find($0, hash: KeyTable.hash($0), in: slab) }
    }

    /// The key's entry if it is not deleted.
    package func findLive(_ key: ArraySlice<UInt8>) -> KeyID? {
        guard let id = find(key), slab[id].isLive else { return nil }
        return id
    }

    /// Records a put: `entry` is the key's, nil if there is none. The caller has worked out
    /// the version and what follows from it.
    package mutating func put(
        _ key: ArraySlice<UInt8>, entry: KeyID?, mark: Mark, createRevision: Int64, version: Int64,
        lease: Int64
    ) -> KeyID {
        guard let id = entry else {
            let new = KeyEntry(
                key: Bytes(key), latest: mark, createRevision: createRevision, version: version,
                lease: lease)
            return insert(new)
        }
        let wasLive = slab[id].change(
            to: mark, createRevision: createRevision, version: version, lease: lease)
        if !wasLive { countLive(1, at: order.lowerBound(key, in: slab)) }
        return id
    }

    /// Records that a key was deleted.
    package mutating func delete(_ id: KeyID, mark: Mark) {
        let wasLive = slab[id].change(to: mark, createRevision: 0, version: 0, lease: 0)
        if wasLive { countLive(-1, at: order.lowerBound(slab[id].key[...], in: slab)) }
    }

    /// Adds a key of which only a tombstone is left.
    package mutating func insertTombstone(_ key: ArraySlice<UInt8>, mark: Mark) {
        _ = insert(KeyEntry(key: Bytes(key), latest: mark))
    }

    private mutating func countLive(_ change: Int, at position: KeyOrder.Position) {
        order.addLive(change, at: position)
        liveCount += change
    }

    private mutating func insert(_ entry: KeyEntry) -> KeyID {
        let id = slab.insert(entry)
        table.insert(id, hash: entry.key.withUnsafeBytes { KeyTable.hash($0) })
        let place = order.lowerBound(entry.key[...], in: slab)
        let position = order.insert(id, at: place, in: slab)
        if entry.isLive { countLive(1, at: position) }
        return id
    }

    /// Forgets a deleted key with all its history.
    package mutating func remove(_ id: KeyID) {
        precondition(!slab[id].isLive, "A key is deleted before it is forgotten.")
        let key = slab[id].key
        table.remove(id, hash: key.withUnsafeBytes { KeyTable.hash($0) })
        order.remove(at: order.lowerBound(key[...], in: slab))
        slab.remove(id)
    }

    /// Forgets the oldest `count` changes before the latest.
    package mutating func removeOldest(_ count: Int, of id: KeyID) {
        // A new array, so that the memory of a long history is given back.
        slab[id].older = Array(slab[id].older[count...])
    }

    /// Gives the record cache access to its fields of the entries.
    package mutating func withSlab<R>(_ body: (inout KeySlab) -> R) -> R {
        body(&slab)
    }
}

extension KeyIndex {
    /// How many keys of the range are not deleted.
    package func liveCount(in range: KeyRange) -> Int {
        if case .point = range.upper { return findLive(range.lower) == nil ? 0 : 1 }
        let (lower, upper) = positions(of: range)
        return order.liveCount(from: lower, to: upper, in: slab)
    }

    /// Visits the range's keys, deleted ones too, in order until `body` returns false.
    package func forEach<E: Error>(in range: KeyRange, _ body: (KeyID) throws(E) -> Bool) throws(E)
    {
        if case .point = range.upper {
            if let id = find(range.lower) { _ = try body(id) }
            return
        }
        let (lower, upper) = positions(of: range)
        guard lower.chunk < upper.chunk || lower.offset < upper.offset else { return }
        var position = lower
        while position != upper {
            guard try body(order[position]) else { return }
            position = order.next(after: position)
        }
    }

    /// The first key that is not less than `key`.
    package func first(from key: ArraySlice<UInt8>) -> KeyID? {
        let position = order.lowerBound(key, in: slab)
        return position == order.end ? nil : order[position]
    }

    private func positions(of range: KeyRange) -> (KeyOrder.Position, KeyOrder.Position) {
        let lower = order.lowerBound(range.lower, in: slab)
        switch range.upper {
        case .point: return (lower, lower)
        case .open: return (lower, order.end)
        case .below(let upper):
            // An upper end at or below the lower one names no key.
            if byteOrder(upper, range.lower) <= 0 { return (lower, lower) }
            return (lower, order.lowerBound(upper, in: slab))
        }
    }
}
