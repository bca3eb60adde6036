import SynodBytes

/// Where a value lies in the segments of a ``Journal``.
struct ValueLocation: Sendable, Equatable {
    /// The number of the segment.
    let segment: UInt64
    /// Of the value in the segment.
    let offset: UInt32
    let count: UInt32
    /// CRC-32C of the value.
    let checksum: UInt32
}

/// The live keys of a ``Journal`` in order, and where their values are; as a value: copies share
/// what neither has changed since.
///
/// A list of small sorted leaves. Log entries are added behind all others of their kind, so a
/// full leaf is split where the new key belongs, which leaves the one before it full, and ranges
/// are removed by whole leaves.
struct JournalIndex: Sendable {
    struct Item: Sendable {
        let key: JournalKey
        var location: ValueLocation

        /// The bytes that the item takes in a batch; never zero.
        var size: Int { 9 + key.count + Int(location.count) }
    }

    /// Where a key is, or where it would be inserted; `index` may be one past the leaf's last item.
    private struct Position {
        let leaf: Int
        let index: Int
    }

    private static let leafCapacity = 128

    /// Neighbouring items in key order; no leaf is empty.
    private var leaves: [[Item]] = []

    func location(of key: JournalKey) -> ValueLocation? {
        let position = find(key)
        guard isOccupied(position, by: key) else { return nil }
        return leaves[position.leaf][position.index].location
    }

    /// Sets where a key's value is, and returns the item that was there before.
    mutating func put(_ item: Item) -> Item? {
        let position = find(item.key)
        if isOccupied(position, by: item.key) {
            let replaced = leaves[position.leaf][position.index]
            leaves[position.leaf][position.index] = item
            return replaced
        }
        insert(item, at: position)
        return nil
    }

    mutating func remove(_ key: JournalKey) -> Item? {
        let position = find(key)
        guard isOccupied(position, by: key) else { return nil }
        let removed = leaves[position.leaf].remove(at: position.index)
        if leaves[position.leaf].isEmpty { leaves.remove(at: position.leaf) }
        return removed
    }

    /// Removes the items with `lower <= key < upper`, and shows each.
    mutating func removeRange(
        from lower: JournalKey, to upper: JournalKey, _ onRemoved: (Item) -> Void
    ) {
        guard !leaves.isEmpty, lower < upper else { return }
        let start = find(lower)
        let end = find(upper)
        for leaf in start.leaf...end.leaf {
            let first = leaf == start.leaf ? start.index : 0
            let last = leaf == end.leaf ? end.index : leaves[leaf].count
            for item in leaves[leaf][first..<last] { onRemoved(item) }
            leaves[leaf].removeSubrange(first..<last)
        }
        let kept = leaves[start.leaf...end.leaf].filter { !$0.isEmpty }
        leaves.replaceSubrange(start.leaf...end.leaf, with: kept)
    }

    /// Visits the items with `lower <= key < upper` (nil: to the end) in key order until `body`
    /// returns false.
    func scan<Failure: Error>(
        from lower: JournalKey, to upper: JournalKey?,
        _ body: (Item) throws(Failure) -> Bool
    ) throws(Failure) {
        guard !leaves.isEmpty else { return }
        let start = find(lower)
        for leaf in start.leaf..<leaves.count {
            for item in leaves[leaf].dropFirst(leaf == start.leaf ? start.index : 0) {
                if let upper, !(item.key < upper) { return }
                if try !body(item) { return }
            }
        }
    }

    /// Items whose values lie in a segment: the first ones, up to one that brings their sizes to
    /// `limit`.
    func items(in segment: UInt64, limit: Int) -> [Item] {
        var found: [Item] = []
        var size = 0
        for leaf in leaves {
            for item in leaf where item.location.segment == segment {
                found.append(item)
                size += item.size
                if size >= limit { return found }
            }
        }
        return found
    }

    private mutating func insert(_ item: Item, at position: Position) {
        guard !leaves.isEmpty else {
            leaves.append([item])
            return
        }
        let leaf = position.leaf
        guard leaves[leaf].count == Self.leafCapacity else {
            leaves[leaf].insert(item, at: position.index)
            return
        }
        if position.index > 0 {
            var upperPart = [item]
            upperPart.reserveCapacity(Self.leafCapacity)
            upperPart += leaves[leaf][position.index...]
            leaves[leaf].removeSubrange(position.index...)
            leaves.insert(upperPart, at: leaf + 1)
        } else {
            leaves.insert([item], at: leaf)
        }
    }

    private func isOccupied(_ position: Position, by key: JournalKey) -> Bool {
        guard position.leaf < leaves.count, position.index < leaves[position.leaf].count else {
            return false
        }
        return leaves[position.leaf][position.index].key == key
    }

    /// The first place whose key is not less than `key`, in the last leaf that begins at or
    /// before it.
    private func find(_ key: JournalKey) -> Position {
        guard !leaves.isEmpty else { return Position(leaf: 0, index: 0) }
        let leavesBefore = Self.partition(leaves.count) { !(key < leaves[$0][0].key) }
        let leaf = max(leavesBefore - 1, 0)
        let index = leaves[leaf].withUnsafeBufferPointer { items in
            Self.partition(items.count) { items[$0].key < key }
        }
        return Position(leaf: leaf, index: index)
    }

    /// How many of `0..<count` come before the first for which `isBefore` is false.
    private static func partition(_ count: Int, _ isBefore: (Int) -> Bool) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if isBefore(middle) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
