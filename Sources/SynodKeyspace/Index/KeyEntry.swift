package import SynodBytes

/// Names a key of the index while the index knows the key; then the number is used again.
package struct KeyID: Hashable {
    package let number: UInt32
}

/// What the index knows of one key.
package struct KeyEntry {
    package let key: Bytes
    /// The last change.
    package var latest: Mark
    /// The changes before it that have not been removed, oldest first.
    package var older: [Mark] = []
    /// These three describe the key as it is now; zero when it is deleted.
    package var createRevision: Int64 = 0
    package var version: Int64 = 0
    package var lease: Int64 = 0

    /// The latest change's record, when it is kept in memory: the business of ``RecordCache``, as
    /// are the two flags.
    package var cachedRecord: Bytes?
    package var isQueuedInCache = false
    package var isReferencedInCache = false

    package init(
        key: Bytes, latest: Mark, createRevision: Int64 = 0, version: Int64 = 0, lease: Int64 = 0
    ) {
        self.key = key
        self.latest = latest
        self.createRevision = createRevision
        self.version = version
        self.lease = lease
    }

    package var isLive: Bool { !latest.isTombstone }

    /// Makes a change the latest. Returns whether the key was live before.
    package mutating func change(
        to mark: Mark, createRevision: Int64, version: Int64, lease: Int64
    ) -> Bool {
        let wasLive = isLive
        older.append(latest)
        latest = mark
        self.createRevision = createRevision
        self.version = version
        self.lease = lease
        return wasLive
    }

    /// The change in force at `revision`: the newest at or before it, nil when there is none or it
    /// is a tombstone.
    package func mark(at revision: Int64) -> Mark? {
        guard let mark = newest(through: revision), !mark.isTombstone else { return nil }
        return mark
    }

    /// The newest change, tombstone or not, at or before `revision`.
    package func newest(through revision: Int64) -> Mark? {
        if latest.main <= revision { return latest }
        let end = olderCount(through: revision)
        return end == 0 ? nil : older[end - 1]
    }

    /// How many of the older changes happened at or before `revision`.
    package func olderCount(through revision: Int64) -> Int {
        var low = 0
        var high = older.count
        while low < high {
            let middle = (low + high) / 2
            if older[middle].main <= revision { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
