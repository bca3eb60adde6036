/// Finds a key's entry by the key: an open-addressing hash table with linear probing.
///
/// Hashes are seeded anew in every process, against keys chosen to collide; so nothing here is ever
/// listed, only looked up.
package struct KeyTable {
    /// The upper half of the hash above the entry's number; all ones: empty.
    private var slots: [UInt64] = [UInt64](repeating: KeyTable.empty, count: 16)
    private var count = 0

    private static let empty = UInt64.max

    private var mask: Int { slots.count - 1 }

    @inline(__always)
    package static func hash(_ key: UnsafeRawBufferPointer) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(bytes: key)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }

    private func home(_ slot: UInt64) -> Int {
        Int(slot >> 32) & mask
    }

    package func find(_ key: UnsafeRawBufferPointer, hash: UInt64, in slab: KeySlab) -> KeyID? {
        let fragment = hash >> 32
        var index = Int(fragment) & mask
        while slots[index] != Self.empty {
            let slot = slots[index]
            if slot >> 32 == fragment {
                let id = KeyID(number: UInt32(truncatingIfNeeded: slot))
                let isSame = slab[id].key.withUnsafeBytes { stored in
                    stored.count == key.count && byteOrder(stored, key) == 0
                }
                if isSame { return id }
            }
            index = (index + 1) & mask
        }
        return nil
    }

    /// Adds a key that is not there.
    package mutating func insert(_ id: KeyID, hash: UInt64) {
        if (count + 1) * 4 > slots.count * 3 { grow() }
        place((hash & 0xffff_ffff_0000_0000) | UInt64(id.number))
        count += 1
    }

    /// Removes a key that is there, and closes the gap so that no search stops early.
    package mutating func remove(_ id: KeyID, hash: UInt64) {
        let target = (hash & 0xffff_ffff_0000_0000) | UInt64(id.number)
        var gap = home(target)
        while slots[gap] != target {
            precondition(slots[gap] != Self.empty, "A key that is removed is in the table.")
            gap = (gap + 1) & mask
        }
        var index = (gap + 1) & mask
        while slots[index] != Self.empty {
            let distance = (index - home(slots[index])) & mask
            if distance >= (index - gap) & mask {
                slots[gap] = slots[index]
                gap = index
            }
            index = (index + 1) & mask
        }
        slots[gap] = Self.empty
        count -= 1
    }

    private mutating func place(_ slot: UInt64) {
        var index = home(slot)
        while slots[index] != Self.empty { index = (index + 1) & mask }
        slots[index] = slot
    }

    private mutating func grow() {
        let old = slots
        precondition(old.count < 1 << 32, "The table has fewer than 2^32 slots.")
        slots = [UInt64](repeating: Self.empty, count: old.count * 2)
        for slot in old where slot != Self.empty { place(slot) }
    }
}
