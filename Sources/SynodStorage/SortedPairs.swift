import SynodBytes

/// An ordered map of byte strings, as a value: copies share what neither has changed since.
///
/// A list of small sorted leaves. Finding a key is two binary searches; inserting moves at most
/// one leaf's pairs, and the list of leaves only when one of them splits.
struct SortedPairs: Sendable {
    struct Pair: Sendable, Equatable {
        let key: Bytes
        var value: Bytes
    }

    /// Where a key is, or where it would be inserted; `index` may be one past the leaf's last pair.
    private struct Position {
        let leaf: Int
        let index: Int
    }

    private static let leafCapacity = 64

    /// Neighbouring pairs in key order; no leaf is empty.
    private var leaves: [[Pair]] = []
    /// Sum of the lengths of all keys and values.
    private(set) var byteCount = 0

    /// The value under `key`, or nil.
    func value(of key: UnsafeRawBufferPointer) -> Bytes? {
        let position = find(key)
        guard isOccupied(position, by: key) else { return nil }
        return leaves[position.leaf][position.index].value
    }

    /// Sets the value under `key` and returns the one it replaces.
    mutating func put(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bytes? {
        let position = find(key)
        if isOccupied(position, by: key) {
            let replaced = leaves[position.leaf][position.index].value
            leaves[position.leaf][position.index].value = Bytes(value)
            byteCount += value.count - replaced.count
            return replaced
        }
        if leaves.isEmpty { leaves.append([]) }
        let pair = Pair(key: Bytes(key), value: Bytes(value))
        leaves[position.leaf].insert(pair, at: position.index)
        byteCount += key.count + value.count
        if leaves[position.leaf].count > Self.leafCapacity { split(position.leaf) }
        return nil
    }

    /// Removes `key` and returns the value that it had.
    mutating func remove(_ key: UnsafeRawBufferPointer) -> Bytes? {
        let position = find(key)
        guard isOccupied(position, by: key) else { return nil }
        let removed = leaves[position.leaf].remove(at: position.index)
        if leaves[position.leaf].isEmpty { leaves.remove(at: position.leaf) }
        byteCount -= removed.key.count + removed.value.count
        return removed.value
    }

    /// Removes the pairs with `lower <= key < upper` and returns them in key order.
    mutating func removeRange(
        from lower: UnsafeRawBufferPointer, to upper: UnsafeRawBufferPointer
    ) -> [Pair] {
        guard !leaves.isEmpty, precedes(lower, upper) else { return [] }
        let start = find(lower)
        let end = find(upper)
        var removed: [Pair] = []
        for leaf in start.leaf...end.leaf {
            let first = leaf == start.leaf ? start.index : 0
            let last = leaf == end.leaf ? end.index : leaves[leaf].count
            removed += leaves[leaf][first..<last]
            leaves[leaf].removeSubrange(first..<last)
        }
        let kept = leaves[start.leaf...end.leaf].filter { !$0.isEmpty }
        leaves.replaceSubrange(start.leaf...end.leaf, with: kept)
        for pair in removed { byteCount -= pair.key.count + pair.value.count }
        return removed
    }

    /// Visits the pairs with `lower <= key < upper` in key order until `body` returns false.
    func scan(
        from lower: Bytes, to upper: Bytes?,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) {
        let start = lower.withUnsafeBytes(find)
        let end = upper.map { $0.withUnsafeBytes(find) }
        let lastLeaf = end?.leaf ?? leaves.count - 1
        guard start.leaf <= lastLeaf, !leaves.isEmpty else { return }
        for leaf in start.leaf...lastLeaf {
            let first = leaf == start.leaf ? start.index : 0
            let last = leaf == end?.leaf ? end?.index ?? 0 : leaves[leaf].count
            guard first < last else { continue }
            // Indexed rather than iterated, which would copy every pair.
            let goesOn = leaves[leaf].withUnsafeBufferPointer { pairs in
                pairs[first..<last].indices.allSatisfy { index in
                    pairs[index].key.withUnsafeBytes { key in
                        pairs[index].value.withUnsafeBytes { value in body(key, value) }
                    }
                }
            }
            if !goesOn { return }
        }
    }

    private mutating func split(_ leaf: Int) {
        let middle = leaves[leaf].count / 2
        let upperHalf = Array(leaves[leaf][middle...])
        leaves[leaf].removeSubrange(middle...)
        leaves.insert(upperHalf, at: leaf + 1)
    }

    private func isOccupied(_ position: Position, by key: UnsafeRawBufferPointer) -> Bool {
        guard position.leaf < leaves.count, position.index < leaves[position.leaf].count else {
            return false
        }
        return leaves[position.leaf][position.index].key.withUnsafeBytes {
            $0.count == key.count && !precedes($0, key) && !precedes(key, $0)
        }
    }

    /// The first place whose key is not less than `key`, in the last leaf that begins at or
    /// before it.
    private func find(_ key: UnsafeRawBufferPointer) -> Position {
        guard !leaves.isEmpty else { return Position(leaf: 0, index: 0) }
        let leavesBefore = Self.partition(leaves.count) { index in
            leaves[index][0].key.withUnsafeBytes { !precedes(key, $0) }
        }
        let leaf = max(leavesBefore - 1, 0)
        let index = Self.partition(leaves[leaf].count) { index in
            leaves[leaf][index].key.withUnsafeBytes { precedes($0, key) }
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

/// Whether one byte string comes before another in the order of a store: as unsigned bytes, a
/// prefix before what it begins.
package func precedes(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
    let shared = min(left.count, right.count)
    var offset = 0
    while offset + 8 <= shared {
        let leftWord = left.loadUnaligned(fromByteOffset: offset, as: UInt64.self).bigEndian
        let rightWord = right.loadUnaligned(fromByteOffset: offset, as: UInt64.self).bigEndian
        if leftWord != rightWord { return leftWord < rightWord }
        offset += 8
    }
    while offset < shared {
        if left[offset] != right[offset] { return left[offset] < right[offset] }
        offset += 1
    }
    return left.count < right.count
}
