import SynodBytes

/// Decides which keys' latest records stay in memory: within a budget of bytes, those written or
/// read last, roughly (the clock algorithm). The records themselves are in the entries.
struct RecordCache {
    /// In bytes.
    let budget: Int
    /// In bytes, an allowance for each record's own overhead included.
    private(set) var used = 0
    /// Entries in the order of eviction, from `head` on. An entry is in it at most once.
    private var queue: [KeyID] = []
    private var head = 0

    private static let overhead = 48

    init(budget: Int) {
        self.budget = budget
    }

    /// Takes the record as the entry's latest, or only forgets the one before if it is too large.
    mutating func put(_ record: Bytes?, for id: KeyID, in slab: inout KeySlab) {
        if let old = slab[id].cachedRecord {
            used -= old.count + Self.overhead
            slab[id].isReferencedInCache = true
        }
        guard let record, record.count <= Limits.cachedRecordBytes else {
            slab[id].cachedRecord = nil
            return
        }
        used += record.count + Self.overhead
        slab[id].cachedRecord = record
        if !slab[id].isQueuedInCache {
            slab[id].isQueuedInCache = true
            slab[id].isReferencedInCache = false
            queue.append(id)
        }
        while used > budget { evict(from: &slab) }
    }

    /// Passes over one entry of the queue: lets go of its record, or lets it off once because it
    /// was used.
    private mutating func evict(from slab: inout KeySlab) {
        precondition(head < queue.count, "What takes up the budget is in the queue.")
        let id = queue[head]
        head += 1
        defer { shortenQueue() }
        if let record = slab[id].cachedRecord {
            if slab[id].isReferencedInCache {
                slab[id].isReferencedInCache = false
                queue.append(id)
                return
            }
            used -= record.count + Self.overhead
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
