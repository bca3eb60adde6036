package import SynodBytes

/// Decides which keys' latest records stay in memory: within a budget of bytes, those written or
/// read last, roughly (the clock algorithm). The records themselves are in the entries.
package struct RecordCache {
    /// In bytes.
    package let budget: Int
    /// In bytes, an allowance for each record's own overhead included.
    package private(set) var used = 0
    /// Entries in the order of eviction, from `head` on. An entry is in it at most once.
    private var queue: [KeyID] = []
    private var head = 0

    private static let overhead = 48

    package init(budget: Int) {
        self.budget = budget
    }

    /// Takes the record as the entry's latest; nil only forgets the one before.
    package mutating func put(_ record: Bytes?, for id: KeyID, in slab: inout KeySlab) {
        replace(record, of: id, &slab[id])
        while used > budget { evict(from: &slab) }
    }

    private mutating func replace(_ record: Bytes?, of id: KeyID, _ entry: inout KeyEntry) {
        if let old = entry.cachedRecord?.count {
            used -= old + Self.overhead
            entry.isReferencedInCache = true
        }
        if let count = record?.count { used += count + Self.overhead }
        entry.cachedRecord = record
        guard record != nil, !entry.isQueuedInCache else { return }
        entry.isQueuedInCache = true
        entry.isReferencedInCache = false
        queue.append(id)
    }

    /// Passes over one entry of the queue: lets go of its record, or lets it off once because it
    /// was used.
    private mutating func evict(from slab: inout KeySlab) {
        precondition(head < queue.count, "What takes up the budget is in the queue.")
        let id = queue[head]
        head += 1
        defer { shortenQueue() }
        if let count = slab[id].cachedRecord?.count {
            if slab[id].isReferencedInCache {
                slab[id].isReferencedInCache = false
                queue.append(id)
                return
            }
            used -= count + Self.overhead
            slab[id].cachedRecord = nil
        }
        slab[id].isQueuedInCache = false
    }

    private mutating func shortenQueue() {
        guard head >= 1024, head * 2 >= queue.count else { return }
        queue.removeFirst(head)
        head = 0
    }
}
