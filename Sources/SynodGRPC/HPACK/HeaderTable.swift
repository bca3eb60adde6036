/// A header field in one of HPACK's tables: its meaning, and the lengths that its size is made of.
struct HeaderEntry {
    let name: FieldName
    let field: RequestField
    let nameLength: Int
    let valueLength: Int

    /// The size that both the table and the header list count (RFC 7541, section 4.1; RFC 9113,
    /// section 6.5.2).
    var size: Int { nameLength + valueLength + 32 }
}

/// HPACK's index space: the static table, and behind it the dynamic table, whose newest entry comes
/// first (RFC 7541, section 2.3).
struct HeaderTable {
    /// The size of the dynamic table that a peer may use without asking, and the most that we offer.
    static let largestSize = 4_096
    /// As many entries as fit, since each counts 32 bytes more than its text; a power of two.
    private static let capacity = largestSize / 32

    private let fixed: [HeaderEntry]
    /// A ring. It grows to its capacity once; `newest` is the place of the newest entry.
    private var ring: [HeaderEntry] = []
    private var newest = capacity - 1
    private(set) var count = 0
    private(set) var size = 0
    private(set) var maximumSize = largestSize

    init(methods: MethodTable) {
        fixed = StaticFields.all.map { name, value in
            let fieldName = FieldName(Array(name.utf8)[...])
            return HeaderEntry(
                name: fieldName,
                field: RequestField(fieldName, value: Array(value.utf8)[...], methods: methods),
                nameLength: name.utf8.count, valueLength: value.utf8.count)
        }
    }

    /// The entry of an index as it stands in a header block; nil when there is none.
    subscript(index: Int) -> HeaderEntry? {
        guard index > fixed.count else { return index > 0 ? fixed[index - 1] : nil }
        let age = index - fixed.count - 1
        guard age < count else { return nil }
        return ring[(newest &- age) & (Self.capacity - 1)]
    }

    /// An entry that is larger than the table empties it (RFC 7541, section 4.4).
    mutating func insert(_ entry: HeaderEntry) {
        evict(to: maximumSize - entry.size)
        guard entry.size <= maximumSize else { return }
        newest = (newest + 1) & (Self.capacity - 1)
        if newest < ring.count { ring[newest] = entry } else { ring.append(entry) }
        count += 1
        size += entry.size
    }

    /// - Returns: False when the peer claims more than we offer.
    mutating func resize(to newMaximum: Int) -> Bool {
        guard newMaximum <= Self.largestSize else { return false }
        maximumSize = newMaximum
        evict(to: newMaximum)
        return true
    }

    private mutating func evict(to wantedSize: Int) {
        while size > wantedSize, count > 0 {
            size -= ring[(newest &- (count - 1)) & (Self.capacity - 1)].size
            count -= 1
        }
    }
}
