package import SynodBytes
package import SynodStorage

#if SYNOD_PLANTED_BUGS
    import SynodPaxos
#endif

// Reading keys.
extension Keyspace {
    /// Answers a RangeRequest: with the complete encoded RangeResponse, or the refusal. A key by
    /// itself is answered as it is now; several keys, as they are in the prefix or at a revision
    /// ahead of it.
    ///
    /// - Parameter ahead: through this revision, all changes of the request's keys are made; nil: that
    ///   is known of the prefix only.
    package mutating func range(
        _ request: ArraySlice<UInt8>, ahead: Int64? = nil, header: ResponseHeader
    ) throws(StorageError) -> Result<Bytes, KeyspaceError> {
        let range: RangeRequest
        do throws(KeyspaceError) {
            range = try KeyspaceError.refusingMalformed { () throws(MalformedBytes) in
                try RangeRequest(request)
            }
            try range.check()
            try checkCorruption()
            if range.revision > 0 { try checkReadable(range.revision, at: committed.revision) }
        } catch {
            return .failure(error)
        }
        view = RequestView(revision: committed.revision, isPast: isAhead)
        if isAhead, range.revision <= 0 {
            if case .point = range.range.upper {
                lookAhead(at: range.key)
            } else if let ahead {
                view.revision = max(view.revision, ahead)
            }
        }
        #if SYNOD_PLANTED_BUGS
            if PlantedBug.readsRangesAhead.isActive, range.revision <= 0 { view.isPast = false }
        #endif
        var answer = AnswerWriter(isWanted: true)
        try execute(range, header: header, into: &answer)
        guard let result = answer.result else {
            preconditionFailure("An answer that is wanted is there.")
        }
        return result
    }

    /// A key by itself is read as its last change left it, also where that is ahead of the prefix:
    /// no more than this key is seen, so the revision may well be the key's.
    private mutating func lookAhead(at key: ArraySlice<UInt8>) {
        view.isPast = false
        guard let id = index.find(key) else { return }
        view.revision = max(view.revision, index[id].latest.main)
    }

    /// Refuses a revision that is in the future, seen from `current`, or compacted.
    func checkReadable(_ revision: Int64, at current: Int64) throws(KeyspaceError) {
        if revision > current { throw .futureRevision }
        if revision < state.compactRevision { throw .compacted }
    }

    /// Answers a range whose revision was checked.
    mutating func execute(
        _ request: RangeRequest, header: ResponseHeader, into answer: inout AnswerWriter
    ) throws(StorageError) {
        guard answer.isWanted else { return }
        answer.write { $0.write(header, revision: view.visibleRevision) }
        let query = RangeQuery(request, view)
        var (candidates, count) = query.gather(from: index, pending)
        var more = false
        if !request.countOnly {
            if query.needsRecords(request) {
                for position in candidates.indices { try complete(&candidates[position]) }
            }
            query.filter(&candidates)
            try sort(&candidates, by: request)
            more = query.needsAll ? candidates.count > query.limit : count > query.limit
            for candidate in candidates.prefix(query.limit) {
                answer.write(2, record: try encoded(candidate, keysOnly: request.keysOnly))
            }
            if case .point = request.range.upper, let found = candidates.first {
                try remember(found)
            }
        }
        answer.write {
            $0.writeField(3, more)
            $0.writeField(4, Int64(count))
        }
    }

    /// Fills in what the index does not know of an older change.
    private func complete(_ candidate: inout RangeQuery.Candidate) throws(StorageError) {
        guard !candidate.isLatest else { return }
        let record = try decodedRecord(of: candidate.mark)
        candidate.createRevision = record.createRevision
        candidate.version = record.version
    }

    private func encoded(_ candidate: RangeQuery.Candidate, keysOnly: Bool) throws(StorageError)
        -> ArraySlice<UInt8>
    {
        guard keysOnly else { return try record(of: candidate) }
        var record: Record
        if candidate.isLatest {
            let entry = index[candidate.id]
            record = Record(
                key: entry.key[...], createRevision: entry.createRevision,
                modRevision: entry.latest.main, version: entry.version, value: [],
                lease: entry.lease)
        } else {
            record = try decodedRecord(of: candidate.mark)
            record.value = []
        }
        var writer = ByteWriter(capacity: record.key.count + 32)
        record.encode(into: &writer)
        return writer.bytes[...]
    }

    private func record(of candidate: RangeQuery.Candidate) throws(StorageError)
        -> ArraySlice<UInt8>
    {
        candidate.isLatest
            ? try latestRecord(of: candidate.id) : try record(of: candidate.mark)
    }

    private func sort(_ candidates: inout [RangeQuery.Candidate], by request: RangeRequest)
        throws(StorageError)
    {
        guard request.sortTarget == .value else { return RangeQuery.sort(&candidates, by: request) }
        var values: [(candidate: RangeQuery.Candidate, value: ArraySlice<UInt8>)] = []
        values.reserveCapacity(candidates.count)
        for candidate in candidates {
            values.append((candidate, try Self.decode(try record(of: candidate)).value))
        }
        let isDescending = request.sortOrder == .descending
        values.sort { left, right in
            let order = byteOrder(left.value, right.value)
            if order == 0 { return left.candidate.position < right.candidate.position }
            return isDescending ? order > 0 : order < 0
        }
        candidates = values.map(\.candidate)
    }

    /// Takes a key that was read by itself as one that will be read again.
    private mutating func remember(_ candidate: RangeQuery.Candidate) throws(StorageError) {
        guard candidate.isLatest else { return }
        if index[candidate.id].cachedRecord != nil {
            index.withSlab { $0[candidate.id].isReferencedInCache = true }
        } else {
            let record = try latestRecord(of: candidate.id)
            if record.count <= Limits.cachedRecordBytes { keep(Bytes(record), of: candidate.id) }
        }
    }
}
