import SynodBytes
import SynodStorage

// Building the index from the records in the store.
extension Keyspace {
    /// Throws `corrupt` if a record is missing, out of place or contradicts another.
    mutating func load() throws(StorageError) {
        if let bytes = try store.get(RecordLayout.stateKey) {
            do throws(MalformedBytes) {
                state = try StateRecord(bytes)
            } catch {
                throw StorageError(.corrupt, error.reason)
            }
        }
        committed = state
        var loader = HistoryLoader(state: state)
        try scan(RevisionGap.keys(through: .max)) { key, value throws(MalformedBytes) in
            try loader.add(RevisionGap(key: key, value: value))
        }
        try scan(RecordLayout.records(from: 0, through: .max)) {
            key, value throws(MalformedBytes) in
            try loader.add(key: key, value: value)
        }
        do throws(MalformedBytes) {
            index = try loader.finish()
        } catch {
            throw StorageError(.corrupt, error.reason)
        }
        usedBytes = loader.usedBytes
    }

    private func scan(
        _ range: (lower: Bytes, upper: Bytes),
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws(MalformedBytes) -> Void
    ) throws(StorageError) {
        var failure: MalformedBytes?
        try store.scan(from: range.lower, to: range.upper) { key, value in
            do throws(MalformedBytes) {
                try body(key, value)
                return true
            } catch {
                failure = error
                return false
            }
        }
        if let failure { throw StorageError(.corrupt, failure.reason) }
    }
}

/// Takes the records in the order of their changes and notices what cannot be.
private struct HistoryLoader {
    private let state: StateRecord
    private var index = KeyIndex()
    private(set) var usedBytes: UInt64 = 0
    /// The change that must come next or, if a new revision begins, the revision.
    private var lastMain: Int64
    private var nextSub: UInt32 = 0
    /// In order.
    private var gaps: [RevisionGap] = []
    /// How many of the gaps lie behind.
    private var passedGaps = 0

    init(state: StateRecord) {
        self.state = state
        lastMain = max(state.compactRevision, 1)
    }

    /// Takes the gaps in their order, before any record.
    mutating func add(_ gap: RevisionGap) throws(MalformedBytes) {
        guard gap.from > gaps.last?.through ?? 1, gap.through <= state.revision else {
            throw MalformedBytes("there cannot be a gap from \(gap.from) through \(gap.through)")
        }
        gaps.append(gap)
    }

    mutating func add(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)
        throws(MalformedBytes)
    {
        guard let mark = RecordLayout.mark(key, valueCount: value.count) else {
            throw MalformedBytes("a record has a malformed key")
        }
        try checkSequence(mark)
        let record = try Record(Bytes(value)[...])
        guard !record.key.isEmpty else { throw MalformedBytes("a record has no key") }
        let id = index.find(record.key)
        try check(record, mark, after: id)
        usedBytes += UInt64(mark.byteCount)
        if !mark.isTombstone {
            _ = index.put(
                record.key, entry: id, mark: mark, createRevision: record.createRevision,
                version: record.version, lease: record.lease)
        } else if let id {
            index.delete(id, mark: mark)
        } else {
            index.insertTombstone(record.key, mark: mark)
        }
    }

    mutating func finish() throws(MalformedBytes) -> KeyIndex {
        try passGaps(before: .max)
        guard lastMain == state.revision || state.revision <= state.compactRevision else {
            throw MalformedBytes("the records end at revision \(lastMain), not \(state.revision)")
        }
        guard UInt64(index.liveCount) == state.keyCount else {
            throw MalformedBytes("\(index.liveCount) keys are there, not \(state.keyCount)")
        }
        return index
    }

    /// Goes on over the gaps that begin before a record. They fit exactly between records, unless
    /// a compaction has taken those.
    private mutating func passGaps(before main: Int64) throws(MalformedBytes) {
        while passedGaps < gaps.count, gaps[passedGaps].from <= main {
            let gap = gaps[passedGaps]
            passedGaps += 1
            guard gap.through < main else {
                throw MalformedBytes("revision \(main) is in a gap through \(gap.through)")
            }
            let start = max(state.compactRevision, 1)
            guard gap.through > start else { continue }
            guard max(gap.from, start + 1) == lastMain + 1 else {
                throw MalformedBytes("a gap from \(gap.from) does not follow \(lastMain)")
            }
            lastMain = gap.through
            nextSub = 0
        }
    }

    /// Behind the last compaction no revision outside of the gaps and no change within a revision is
    /// ever missing.
    private mutating func checkSequence(_ mark: Mark) throws(MalformedBytes) {
        try passGaps(before: mark.main)
        guard mark.main > max(state.compactRevision, 1) else { return }
        let isNext =
            mark.main == lastMain
            ? mark.sub == nextSub && nextSub > 0 : mark.main == lastMain + 1 && mark.sub == 0
        guard isNext, mark.main <= state.revision else {
            throw MalformedBytes(
                "revision \(mark.main)_\(mark.sub) does not follow \(lastMain)_\(nextSub)")
        }
        lastMain = mark.main
        nextSub = mark.sub + 1
    }

    private func check(_ record: Record, _ mark: Mark, after id: KeyID?) throws(MalformedBytes) {
        let place = "the record of revision \(mark.main)_\(mark.sub)"
        let isCompacted = mark.main <= state.compactRevision
        if mark.isTombstone {
            guard record.version == 0, record.value.isEmpty else {
                throw MalformedBytes("\(place) is a deletion with a value")
            }
            guard id.map({ index[$0].isLive }) ?? isCompacted else {
                throw MalformedBytes("\(place) deletes what was not there")
            }
            return
        }
        guard record.modRevision == mark.main, record.version >= 1, record.createRevision >= 1,
            record.createRevision <= mark.main
        else { throw MalformedBytes("\(place) contradicts its place") }
        if let id, index[id].isLive {
            guard record.createRevision == index[id].createRevision,
                record.version - 1 == index[id].version
            else { throw MalformedBytes("\(place) does not continue its key's history") }
        } else if id != nil || !isCompacted {
            guard record.createRevision == mark.main, record.version == 1 else {
                throw MalformedBytes("\(place) does not begin its key's history")
            }
        }
    }
}
