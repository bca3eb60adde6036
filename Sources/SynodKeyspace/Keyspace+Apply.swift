package import SynodBytes
package import SynodStorage

#if SYNOD_PLANTED_BUGS
    import SynodPaxos
#endif

/// What became of a command.
package struct Applied {
    /// The complete encoded response, or the refusal; nil if nobody wanted it.
    package let result: Result<Bytes, KeyspaceError>?
    /// Whether it took the revision after the one it was told.
    package let hasChanged: Bool
}

// Carrying out commands.
extension Keyspace {
    /// Carries out one command as the first after `revision`, whether or not all those before it
    /// have been carried out: those that share a key with it have, and none of those after it that
    /// do. `header` is nil if this replica need not answer.
    ///
    /// A command that is malformed or not allowed changes nothing, on every replica alike. One that
    /// changes something takes one revision.
    package mutating func apply(
        _ command: ArraySlice<UInt8>, after revision: Int64, header: ResponseHeader?
    ) throws(StorageError) -> Applied {
        precondition(revision >= committed.revision, "What is in the prefix is not done again.")
        view = RequestView(revision: revision)
        let result = try execute(command, header: header)
        return Applied(result: result, hasChanged: view.changes > 0)
    }

    private mutating func execute(_ command: ArraySlice<UInt8>, header: ResponseHeader?)
        throws(StorageError) -> Result<Bytes, KeyspaceError>?
    {
        let admitted: Command
        do throws(KeyspaceError) { admitted = try admit(command) } catch {
            return header.map { _ in .failure(error) }
        }
        var answer = AnswerWriter(isWanted: header != nil)
        let inner = header ?? .inner
        switch consume admitted {
        case .put(let request):
            do throws(KeyspaceError) { try check(request) } catch {
                return header.map { _ in .failure(error) }
            }
            try execute(request, header: inner, into: &answer)
        case .deleteRange(let request):
            try execute(request, header: inner, into: &answer)
        case .txn(let request):
            return try execute(request, header: header)
        case .compaction(let request):
            raiseBarrier()
            do throws(KeyspaceError) { try compact(request) } catch {
                return header.map { _ in .failure(error) }
            }
            answer.write { $0.write(inner, revision: view.revision) }
        case .alarm(let request):
            raiseBarrier()
            do throws(KeyspaceError) { try execute(request, header: inner, into: &answer) } catch {
                return header.map { _ in .failure(error) }
            }
        }
        return answer.result
    }

    /// The decoded command, unless its form or an alarm forbids it.
    private func admit(_ bytes: ArraySlice<UInt8>) throws(KeyspaceError) -> Command {
        let command = try Command(bytes)
        try command.check(maxOperations: .max)
        if !state.alarms.isEmpty { try checkAlarms(against: command) }
        return command
    }

    /// A compaction or an alarm concerns all keys: nothing after it has been carried out.
    private mutating func raiseBarrier() {
        precondition(
            pending.lastRevision ?? 0 <= view.revision,
            "Nothing overtakes a compaction or an alarm.")
        barrier = view.revision
    }

    /// What depends on the state before the put.
    func check(_ request: PutRequest) throws(KeyspaceError) {
        if request.lease != 0 { throw .leaseNotFound }
        if request.ignoreValue || request.ignoreLease, index.findLive(request.key) == nil {
            throw .keyNotFound
        }
    }

    mutating func execute(
        _ request: PutRequest, header: ResponseHeader, into answer: inout AnswerWriter
    ) throws(StorageError) {
        let main = view.revision + 1
        let entry = index.find(request.key)
        var record = Record(
            key: request.key, createRevision: main, modRevision: main, version: 1,
            value: request.value, lease: request.lease)
        answer.write { $0.write(header, revision: main) }
        var liveChange: Int8 = 1
        if let entry, index[entry].isLive {
            liveChange = 0
            record.createRevision = index[entry].createRevision
            record.version = index[entry].version + 1
            if request.ignoreLease { record.lease = index[entry].lease }
            if request.ignoreValue || request.wantsPrevious && answer.isWanted {
                let previous = try latestRecord(of: entry)
                if request.wantsPrevious { answer.write(2, record: previous) }
                if request.ignoreValue {
                    // A copy, so that appending does not find the buffer shared.
                    record.value = Bytes(try Self.decode(previous).value)[...]
                }
            }
        }
        if let entry { checkOrder(index[entry], main) }
        let mark = pending.add(
            record, main: main, sub: view.changes, isTombstone: false, liveChange: liveChange)
        let id = index.put(
            request.key, entry: entry, mark: mark, createRevision: record.createRevision,
            version: record.version, lease: record.lease)
        keep(pending.newest(limit: Limits.cachedRecordBytes), of: id)
        view.changes += 1
        usedBytes += UInt64(mark.byteCount)
    }

    mutating func execute(
        _ request: DeleteRangeRequest, header: ResponseHeader, into answer: inout AnswerWriter
    ) throws(StorageError) {
        var ids: [KeyID] = []
        index.forEach(in: request.range) { id in
            if index[id].isLive { ids.append(id) }
            return true
        }
        #if SYNOD_PLANTED_BUGS
            if PlantedBug.appliesInHashOrder.isActive { ids = Array(Set(ids)) }
        #endif
        let main = view.revision + 1
        answer.write {
            $0.write(header, revision: ids.isEmpty ? view.visibleRevision : main)
            $0.writeField(2, Int64(ids.count))
        }
        if request.wantsPrevious && answer.isWanted {
            for id in ids { answer.write(3, record: try latestRecord(of: id)) }
        }
        for id in ids {
            let record = Record(
                key: index[id].key[...], createRevision: 0, modRevision: 0, version: 0, value: [],
                lease: 0)
            checkOrder(index[id], main)
            let mark = pending.add(
                record, main: main, sub: view.changes, isTombstone: true, liveChange: -1)
            index.delete(id, mark: mark)
            keep(nil, of: id)
            view.changes += 1
            usedBytes += UInt64(mark.byteCount)
        }
    }

    /// Commands on one key come in order, whatever overtakes them.
    private func checkOrder(_ entry: KeyEntry, _ main: Int64) {
        precondition(entry.latest.main <= main, "Changes of one key are made in order.")
    }
}
