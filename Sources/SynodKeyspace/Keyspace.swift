import SynodBytes
package import SynodStorage

#if SYNOD_PLANTED_BUGS
    import SynodPaxos
#endif

/// A multi-version store of keys that carries out the commands it is given and answers reads, as
/// etcd does (its API, its revisions, its record format and so its HashKV).
///
/// It knows nothing of consensus: what it does depends on the commands and their order alone. Of
/// the order only what can be seen matters: commands on different keys may be carried out in any
/// order, each told the revision before it. The *prefix* is what has no command missing before it.
/// It alone is written to the store, by ``commit(through:revision:outcomes:)``, so that the store is
/// always what it once was or would have been in order; what is *ahead* of it is only in memory,
/// and carried out again after a restart.
///
/// Keys and the history of their changes are in memory, records are in the store. Used by one
/// thread at a time. Once a call has thrown a `StorageError` the value must not be used any more.
package struct Keyspace<S: Store> {
    let store: S
    var index = KeyIndex()
    package var cache: RecordCache
    /// The records of the changes that are not committed.
    var pending = PendingRecords()
    /// As the last commit left it. The revision, the keys and all that is read belong to this.
    var committed = StateRecord()
    /// As `committed`, with what the commands since have done to alarms and compaction.
    var state = StateRecord()
    var removal = HistoryRemoval()
    var view = RequestView()
    /// The revision before the last compaction or alarm. These take effect at once, so the commit
    /// that comes next has to cover them.
    var barrier: Int64 = 1
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

    /// The revision of the last change in the prefix; 1 before any.
    package var revision: Int64 { committed.revision }

    /// Whether changes are in memory that no commit has taken into the prefix yet.
    package var isAhead: Bool { !pending.isEmpty }

    /// What the last commit was told to keep.
    package var outcomes: [SlotOutcome] { committed.outcomes }

    /// The oldest readable revision; -1 before any compaction.
    package var compactRevision: Int64 { state.compactRevision }

    /// Keys that are not deleted in the prefix.
    package var keyCount: Int { Int(committed.keyCount) }

    /// Bytes that the store takes up, roughly.
    package var totalBytes: UInt64 { store.approximateSize }

    /// The alarms in force, sorted by kind and member.
    package var alarms: [Alarm] { state.alarms }

    /// Takes into the prefix everything up to a position in the log and the revision reached there:
    /// all commands up to it are carried out. What of it is not in the store yet is written as one
    /// batch: after a crash either all of it is there or nothing. Revisions that no command took are
    /// noted as gaps. A compaction or alarm that was carried out is never left for a later commit.
    /// `outcomes`, by rising slots, are kept for the caller.
    package mutating func commit(
        through position: UInt64, revision: Int64, outcomes: [SlotOutcome]
    ) throws(StorageError) {
        precondition(position >= committed.appliedThrough, "The position never goes back.")
        precondition(revision >= committed.revision, "The revision never goes back.")
        precondition(revision >= barrier, "A commit covers compactions and alarms that were done.")
        precondition(outcomes.count <= Limits.slotOutcomes, "A commit keeps few outcomes.")
        #if SYNOD_PLANTED_BUGS
            if PlantedBug.savesPositionFirst.isActive {
                var early = WriteBatch()
                committed.appliedThrough = position
                early.put(RecordLayout.stateKey, committed.encoded())
                try store.write(early, durability: .buffered)
            }
        #endif
        batch.removeAll(keepingCapacity: batch.byteCount <= 4 << 20)
        for gap in pending.gaps(after: committed.revision, through: revision) {
            batch.put(gap.key, gap.value)
        }
        let liveChange = pending.write(through: revision, to: &batch)
        state.appliedThrough = position
        state.revision = revision
        state.keyCount = UInt64(Int(state.keyCount) + liveChange)
        state.outcomes = outcomes
        batch.put(RecordLayout.stateKey, state.encoded())
        try store.write(batch, durability: .buffered)
        pending.remove(through: revision)
        committed = state
        precondition(isAhead || keyCount == index.liveCount, "The keys are counted twice alike.")
    }
}

/// What the request that is being carried out sees.
struct RequestView {
    /// The revision at which it is carried out.
    var revision: Int64 = 1
    /// Changes made so far by the command.
    var changes: UInt32 = 0
    /// Whether keys may have changed after the revision.
    var isPast = false

    /// The revision that a read sees now: within a command that has changed something, its own.
    var visibleRevision: Int64 { changes == 0 ? revision : revision + 1 }
}

extension Keyspace {
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
