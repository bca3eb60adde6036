import SynodBytes

/// Names a key of the index while the index knows the key; then the number is used again.
struct KeyID: Hashable {
    let number: UInt32
}

/// What the index knows of one key.
struct KeyEntry {
    let key: Bytes
    /// The last change.
    var latest: Mark
    /// The changes before it that have not been removed, oldest first.
    var older: [Mark] = []
    /// These three describe the key as it is now; zero when it is deleted.
    var createRevision: Int64 = 0
    var version: Int64 = 0
    var lease: Int64 = 0

    /// The latest change's record, when it is kept in memory: the business of ``RecordCache``, as
    /// are the two flags.
    var cachedRecord: Bytes?
    var isQueuedInCache = false
    var isReferencedInCache = false

    init(
        key: Bytes, latest: Mark, createRevision: Int64 = 0, version: Int64 = 0, lease: Int64 = 0
    ) {
        self.key = key
        self.latest = latest
        self.createRevision = createRevision
        self.version = version
        self.lease = lease
    }

    var isLive: Bool { !latest.isTombstone }

    /// Makes a change the latest. Returns whether the key was live before.
    mutating func change(
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
    func mark(at revision: Int64) -> Mark? {
        guard let mark = newest(through: revision), !mark.isTombstone else { return nil }
        return mark
    }

    /// The newest change, tombstone or not, at or before `revision`.
    func newest(through revision: Int64) -> Mark? {
        if latest.main <= revision { return latest }
        let end = olderCount(through: revision)
        return end == 0 ? nil : older[end - 1]
    }

    /// How many of the older changes happened at or before `revision`.
    func olderCount(through revision: Int64) -> Int {
        var low = 0
        var high = older.count
        while low < high {
            let middle = (low + high) / 2
            if older[middle].main <= revision { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
