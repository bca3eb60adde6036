package import SynodStorage

/// How far the removal of compacted history has come.
struct HistoryRemoval {
    /// The compaction being carried out; nil when none is.
    var target: Int64?
    /// The key to look at next.
    var nextKey: ArraySlice<UInt8> = []
    /// Changes the index has forgotten already and whose records have still to be removed, last
    /// first.
    var doomed: [Mark] = []
}

// Compaction: history before a revision becomes unreadable at once and is removed bit by bit.
extension Keyspace {
    mutating func compact(_ request: CompactionRequest) throws(KeyspaceError) {
        if request.revision <= state.compactRevision { throw .compacted }
        if request.revision > view.revision { throw .futureRevision }
        state.compactRevision = request.revision
    }

    /// Whether the records that the last compaction made superfluous are all removed.
    package var isCompactionFinished: Bool { state.removedThrough == state.compactRevision }

    /// Removes some more of the history that a committed compaction has made unreadable: about
    /// `budget` keys or records are looked at. Returns true when nothing is left to do.
    ///
    /// Removal needs no order with commands and survives a crash: it only ever takes records that
    /// nothing can ask for, oldest first, and starts anew after a restart.
    package mutating func compactStep(budget: Int) throws(StorageError) -> Bool {
        precondition(budget > 0, "A step does something.")
        guard committed.removedThrough < committed.compactRevision else { return true }
        let target = removal.target ?? committed.compactRevision
        removal.target = target
        var batch = WriteBatch()
        var rest = budget
        var isDone = false
        while rest > 0 && !isDone {
            if removal.doomed.isEmpty {
                isDone = !forgetNextKey(through: target)
                rest -= 1
            }
            while rest > 0, let mark = removal.doomed.popLast() {
                batch.delete(RecordLayout.key(of: mark))
                usedBytes -= UInt64(mark.byteCount)
                rest -= 1
            }
        }
        if isDone { finishRemoval(through: target, in: &batch) }
        if !batch.isEmpty { try store.write(batch, durability: .buffered) }
        return committed.removedThrough == committed.compactRevision
    }

    private mutating func finishRemoval(through target: Int64, in batch: inout WriteBatch) {
        removal = HistoryRemoval()
        state.removedThrough = target
        committed.removedThrough = target
        let gaps = RevisionGap.keys(through: target)
        batch.deleteRange(from: gaps.lower, to: gaps.upper)
        batch.put(RecordLayout.stateKey, committed.encoded())
    }

    /// Makes the index forget what one key no longer needs. False when there is no key left.
    private mutating func forgetNextKey(through target: Int64) -> Bool {
        guard let id = index.first(from: removal.nextKey) else { return false }
        let entry = index[id]
        // The least key that is greater.
        removal.nextKey = (entry.key + [0])[...]
        if entry.latest.main <= target && !isKept(entry.latest, by: target) {
            removal.doomed = [entry.latest] + entry.older.reversed()
            index.remove(id)
            return true
        }
        var count = entry.olderCount(through: target)
        if entry.latest.main > target, count > 0, isKept(entry.older[count - 1], by: target) {
            count -= 1
        }
        guard count > 0 else { return true }
        removal.doomed = entry.older[..<count].reversed()
        index.removeOldest(count, of: id)
        return true
    }

    /// Whether a key's newest change at or before the compaction stays: a put does, and of the
    /// tombstones those at that very revision, which a watch may still ask for.
    private func isKept(_ mark: Mark, by target: Int64) -> Bool {
        !mark.isTombstone || mark.main == target
    }
}
