import SynodBytes
package import SynodStorage

#if SYNOD_PLANTED_BUGS
    import SynodPaxos
#endif

/// A multi-version store of keys that carries out commands in the order it is given and answers
/// reads, as etcd does (its API, its revisions, its record format and so its HashKV).
///
/// It knows nothing of consensus: what it does depends on the commands and their order alone. Keys
/// and the history of their changes are in memory; records are in the store, written by
/// ``commit(through:)``. Used by one thread at a time. Once a call has thrown a `StorageError` the
/// value must not be used any more.
package struct Keyspace<S: Store> {
    let store: S
    var index = KeyIndex()
    package var cache: RecordCache
    /// The records of the changes since the last commit.
    var pending = PendingRecords()
    /// As the commands applied so far leave it, and as the last commit left it.
    var state = StateRecord()
    var committed = StateRecord()
    var removal = HistoryRemoval()
    /// Changes made so far by the command that is being applied.
    var openChanges: UInt32 = 0
    private var batch = WriteBatch()

    /// Bytes of all records that have not been removed, keys included.
    package internal(set) var usedBytes: UInt64 = 0

    /// Loads what the store holds, checking that no record is missing or out of place.
    /// `cacheBudget` bounds the records kept in memory, in bytes.
    package init(store: S, cacheBudget: Int = Limits.cachedBytes) throws(StorageError) {
        self.store = store
        cache = RecordCache(budget: cacheBudget)
        try load()
    }

    /// The position in the log up to which, inclusive, the store holds all effects.
    package var appliedThrough: UInt64 { committed.appliedThrough }

    /// The revision of the last change; 1 before any.
    package var revision: Int64 { state.revision }

    /// The oldest readable revision; -1 before any compaction.
    package var compactRevision: Int64 { state.compactRevision }

    /// Keys that are not deleted.
    package var keyCount: Int { index.liveCount }

    /// Bytes that the store takes up, roughly.
    package var totalBytes: UInt64 { store.approximateSize }

    /// The alarms in force, sorted by kind and member.
    package var alarms: [Alarm] { state.alarms }

    /// Writes the changes of all commands applied since the last commit, and the log position they
    /// reach, as one batch: after a crash either all of it is there or nothing.
    package mutating func commit(through position: UInt64) throws(StorageError) {
        precondition(position >= committed.appliedThrough, "Commands are applied in log order.")
        #if SYNOD_PLANTED_BUGS
            if PlantedBug.savesPositionFirst.isActive {
                var early = WriteBatch()
                committed.appliedThrough = position
                early.put(RecordLayout.stateKey, committed.encoded())
                try store.write(early, durability: .buffered)
            }
        #endif
        state.appliedThrough = position
        state.keyCount = UInt64(index.liveCount)
        batch.removeAll(keepingCapacity: batch.byteCount <= 4 << 20)
        pending.add(to: &batch)
        batch.put(RecordLayout.stateKey, state.encoded())
        try store.write(batch, durability: .buffered)
        pending.removeAll()
        committed = state
    }
}

extension Keyspace {
    /// The revision that a read sees now: within a command that has changed something, its own.
    var viewRevision: Int64 { openChanges == 0 ? state.revision : state.revision + 1 }

    /// The record of the key's last change, which is a put.
    func latestRecord(of id: KeyID) throws(StorageError) -> ArraySlice<UInt8> {
        if let record = index[id].cachedRecord { return record[...] }
        return try record(of: index[id].latest)
    }

    /// The record of a change that has not been removed.
    func record(of mark: Mark) throws(StorageError) -> ArraySlice<UInt8> {
        let found =
            mark.main > committed.revision
            ? pending.find(mark) : try store.get(RecordLayout.key(of: mark))?[...]
        guard let found else {
            throw StorageError(
                .corrupt, "the record of revision \(mark.main)_\(mark.sub) is missing")
        }
        return found
    }

    /// As ``record(of:)``, taken apart.
    func decodedRecord(of mark: Mark) throws(StorageError) -> Record {
        try Self.decode(try record(of: mark))
    }

    static func decode(_ record: ArraySlice<UInt8>) throws(StorageError) -> Record {
        do throws(MalformedBytes) {
            return try Record(record)
        } catch {
            throw StorageError(.corrupt, "a record cannot be read: \(error.reason)")
        }
    }

    /// Keeps the latest record of a key in memory, or forgets the one before.
    mutating func keep(_ record: Bytes?, of id: KeyID) {
        index.withSlab { slab in cache.put(record, for: id, in: &slab) }
    }
}
