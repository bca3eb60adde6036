/// Entries by number, in pages, so that growing never moves what is there.
package struct KeySlab {
    private static let pageBits: UInt32 = 10
    private static let pageMask: UInt32 = 1 << pageBits - 1

    private var pages: [[KeyEntry]] = []
    private var free: [KeyID] = []

    package init() {}

    package subscript(id: KeyID) -> KeyEntry {
        @inline(__always) _read {
            yield pages[Int(id.number >> Self.pageBits)][Int(id.number & Self.pageMask)]
        }
        @inline(__always) _modify {
            yield &pages[Int(id.number >> Self.pageBits)][Int(id.number & Self.pageMask)]
        }
    }

    package mutating func insert(_ entry: KeyEntry) -> KeyID {
        if let id = free.popLast() {
            let isQueued = self[id].isQueuedInCache
            self[id] = entry
            self[id].isQueuedInCache = isQueued
            return id
        }
        let isFull = pages.last.map { $0.count == 1 << Self.pageBits } ?? true
        if isFull {
            var page: [KeyEntry] = []
            page.reserveCapacity(1 << Self.pageBits)
            pages.append(page)
        }
        let page = pages.count - 1
        let number = page << Int(Self.pageBits) + pages[page].count
        precondition(number <= Int(UInt32.max), "The index holds fewer than 2^32 keys.")
        pages[page].append(entry)
        return KeyID(number: UInt32(number))
    }

    /// Gives the number free. The cache's queue may still hold it, which the flag remembers.
    package mutating func remove(_ id: KeyID) {
        let isQueued = self[id].isQueuedInCache
        self[id] = KeyEntry(key: [], latest: self[id].latest)
        self[id].isQueuedInCache = isQueued
        free.append(id)
    }
}
