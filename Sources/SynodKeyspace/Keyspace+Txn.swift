package import SynodBytes
package import SynodStorage

// Transactions: first the way through them is chosen and checked, then it is gone.
extension Keyspace {
    /// Answers a TxnRequest that changes nothing, from the prefix. It must be read-only.
    package mutating func readTransaction(_ request: ArraySlice<UInt8>, header: ResponseHeader)
        throws(StorageError) -> Result<Bytes, KeyspaceError>
    {
        let transaction: TxnRequest
        do throws(KeyspaceError) {
            transaction = try KeyspaceError.refusingMalformed { () throws(MalformedBytes) in
                try TxnRequest(request)
            }
            guard transaction.isReadOnly else { throw .malformed("it is not read-only") }
            try transaction.check(maxOperations: .max)
            try checkCorruption()
        } catch {
            return .failure(error)
        }
        view = RequestView(revision: committed.revision, isPast: isAhead)
        guard let result = try execute(transaction, header: header) else {
            preconditionFailure("With a header there is an answer.")
        }
        return result
    }

    mutating func execute(_ request: TxnRequest, header: ResponseHeader?) throws(StorageError)
        -> Result<Bytes, KeyspaceError>?
    {
        var path: [Bool] = []
        try choosePath(of: request, into: &path)
        do throws(KeyspaceError) {
            var step = 0
            try checkPuts(of: request, along: path, step: &step)
            step = 0
            try checkRanges(of: request, along: path, step: &step)
        } catch {
            return header.map { _ in .failure(error) }
        }
        var answer = AnswerWriter(isWanted: header != nil)
        var step = 0
        try execute(request, along: path, step: &step, into: &answer)
        return answer.result(behind: header, revision: view.visibleRevision)
    }

    /// Appends whether the request's comparisons hold, then the same for the nested transactions on
    /// the way; all of it is decided by the state before the first change.
    private func choosePath(of request: TxnRequest, into path: inout [Bool]) throws(StorageError) {
        var succeeds = true
        for comparison in request.comparisons where succeeds {
            succeeds = try holds(comparison)
        }
        path.append(succeeds)
        for case .txn(let nested) in succeeds ? request.success : request.failure {
            try choosePath(of: nested, into: &path)
        }
    }

    private func holds(_ comparison: Comparison) throws(StorageError) -> Bool {
        var isMet = true
        var isMissing = true
        try index.forEach(in: comparison.range) { (id: KeyID) throws(StorageError) -> Bool in
            guard let found = try holds(comparison, for: id) else { return true }
            isMissing = false
            isMet = found
            return isMet
        }
        guard isMissing else { return isMet }
        // A missing value cannot be told from an empty one in the request, so it never compares.
        if comparison.target == .value { return false }
        return try comparison.holds(createRevision: 0, modRevision: 0, version: 0, lease: 0) { [] }
    }

    /// Whether it holds for this key; nil if the key is not there.
    private func holds(_ comparison: Comparison, for id: KeyID) throws(StorageError) -> Bool? {
        if view.isPast, index[id].latest.main > view.revision {
            guard let mark = index[id].mark(at: view.revision) else { return nil }
            let record = try decodedRecord(of: mark)
            return try comparison.holds(
                createRevision: record.createRevision, modRevision: record.modRevision,
                version: record.version, lease: record.lease
            ) { record.value }
        }
        guard index[id].isLive else { return nil }
        return try comparison.holds(
            createRevision: index[id].createRevision, modRevision: index[id].latest.main,
            version: index[id].version, lease: index[id].lease
        ) { () throws(StorageError) -> ArraySlice<UInt8> in
            try Self.decode(try latestRecord(of: id)).value
        }
    }

    private func checkPuts(of request: TxnRequest, along path: [Bool], step: inout Int)
        throws(KeyspaceError)
    {
        for operation in request.operations(path, &step) {
            switch operation {
            case .put(let put): try checkInTransaction(put)
            case .txn(let nested): try checkPuts(of: nested, along: path, step: &step)
            case .range, .deleteRange, .empty: break
            }
        }
    }

    /// The checks of a put, in the other order that etcd has inside transactions.
    private func checkInTransaction(_ put: PutRequest) throws(KeyspaceError) {
        if put.ignoreValue || put.ignoreLease, index.findLive(put.key) == nil {
            throw .keyNotFound
        }
        try check(put)
    }

    private func checkRanges(of request: TxnRequest, along path: [Bool], step: inout Int)
        throws(KeyspaceError)
    {
        for operation in request.operations(path, &step) {
            switch operation {
            case .range(let range):
                if range.revision != 0 { try checkReadable(range.revision, at: view.revision) }
            case .txn(let nested): try checkRanges(of: nested, along: path, step: &step)
            case .put, .deleteRange, .empty: break
            }
        }
    }

    /// Writes the answer without its header, which the caller knows better.
    private mutating func execute(
        _ request: TxnRequest, along path: [Bool], step: inout Int,
        into answer: inout AnswerWriter
    ) throws(StorageError) {
        let succeeded = path[step]
        answer.write { $0.writeField(2, succeeded) }
        for operation in request.operations(path, &step) {
            try execute(operation, along: path, step: &step, into: &answer)
        }
    }

    private mutating func execute(
        _ operation: TxnRequest.Operation, along path: [Bool], step: inout Int,
        into answer: inout AnswerWriter
    ) throws(StorageError) {
        let response = answer.begin(3)
        switch operation {
        case .range(let request):
            let message = answer.begin(1)
            try execute(request, header: .inner, into: &answer)
            answer.end(message)
        case .put(let request):
            let message = answer.begin(2)
            try execute(request, header: .inner, into: &answer)
            answer.end(message)
        case .deleteRange(let request):
            let message = answer.begin(3)
            try execute(request, header: .inner, into: &answer)
            answer.end(message)
        case .txn(let request):
            let message = answer.begin(4)
            answer.write { $0.write(.inner, revision: 0) }
            try execute(request, along: path, step: &step, into: &answer)
            answer.end(message)
        case .empty:
            preconditionFailure("A transaction with an empty operation is refused.")
        }
        answer.end(response)
    }
}

extension TxnRequest {
    /// The operations on the path's side, whose step is thereby taken.
    fileprivate func operations(_ path: [Bool], _ step: inout Int) -> [Operation] {
        defer { step += 1 }
        return path[step] ? success : failure
    }
}
