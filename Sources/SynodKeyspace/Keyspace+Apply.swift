package import SynodBytes
package import SynodStorage

#if SYNOD_PLANTED_BUGS
    import SynodPaxos
#endif

// Carrying out commands.
extension Keyspace {
    /// Carries out one command. `header` is nil if this replica need not answer; then the result is
    /// nil. Otherwise it is the complete encoded response, or the refusal.
    ///
    /// A command that is malformed or not allowed changes nothing, on every replica alike.
    package mutating func apply(_ command: ArraySlice<UInt8>, header: ResponseHeader?)
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
            return try apply(request, header: header)
        case .compaction(let request):
            do throws(KeyspaceError) { try compact(request) } catch {
                return header.map { _ in .failure(error) }
            }
            answer.write { $0.write(inner, revision: state.revision) }
        case .alarm(let request):
            do throws(KeyspaceError) { try execute(request, header: inner, into: &answer) } catch {
                return header.map { _ in .failure(error) }
            }
        }
        closeRevision()
        return answer.result
    }

    /// The decoded command, unless its form or an alarm forbids it.
    private func admit(_ bytes: ArraySlice<UInt8>) throws(KeyspaceError) -> Command {
        let command = try Command(bytes)
        try command.check(maxOperations: .max)
        if !state.alarms.isEmpty { try checkAlarms(against: command) }
        return command
    }

    /// All changes of the command now done share one revision.
    mutating func closeRevision() {
        guard openChanges > 0 else { return }
        state.revision += 1
        openChanges = 0
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
        let main = state.revision + 1
        let entry = index.find(request.key)
        var record = Record(
            key: request.key, createRevision: main, modRevision: main, version: 1,
            value: request.value, lease: request.lease)
        answer.write { $0.write(header, revision: main) }
        if let entry, index[entry].isLive {
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
        let mark = pending.append(record, main: main, sub: openChanges, isTombstone: false)
        let id = index.put(
            request.key, entry: entry, mark: mark, createRevision: record.createRevision,
            version: record.version, lease: record.lease)
        keep(pending.last(limit: Limits.cachedRecordBytes), of: id)
        openChanges += 1
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
        let main = state.revision + 1
        answer.write {
            $0.write(header, revision: ids.isEmpty ? viewRevision : main)
            $0.writeField(2, Int64(ids.count))
        }
        if request.wantsPrevious && answer.isWanted {
            for id in ids { answer.write(3, record: try latestRecord(of: id)) }
        }
        for id in ids {
            let record = Record(
                key: index[id].key[...], createRevision: 0, modRevision: 0, version: 0, value: [],
                lease: 0)
            let mark = pending.append(record, main: main, sub: openChanges, isTombstone: true)
            index.delete(id, mark: mark)
            keep(nil, of: id)
            openChanges += 1
            usedBytes += UInt64(mark.byteCount)
        }
    }
}
