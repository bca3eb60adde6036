package import SynodBytes

/// etcd's TxnRequest: if all comparisons hold, one list of operations, otherwise the other.
package struct TxnRequest: Sendable {
    package var comparisons: [Comparison] = []
    package var success: [Operation] = []
    package var failure: [Operation] = []

    /// One operation of a transaction.
    package enum Operation: Sendable {
        case range(RangeRequest)
        case put(PutRequest)
        case deleteRange(DeleteRangeRequest)
        case txn(TxnRequest)
        /// Nothing we know: refused by ``TxnRequest/check(maxOperations:)``.
        case empty
    }

    package init() {}

    package init(_ message: ArraySlice<UInt8>) throws(MalformedBytes) {
        try self.init(message, depth: 1)
    }

    private init(_ message: ArraySlice<UInt8>, depth: Int) throws(MalformedBytes) {
        guard depth <= Limits.transactionDepth else {
            throw MalformedBytes("transactions nest deeper than \(Limits.transactionDepth)")
        }
        var reader = ProtobufReader(message)
        while try reader.next() {
            switch reader.number {
            case 1: comparisons.append(try Comparison(try reader.bytes()))
            case 2: success.append(try Self.operation(try reader.bytes(), depth: depth))
            case 3: failure.append(try Self.operation(try reader.bytes(), depth: depth))
            default: break
            }
        }
    }

    private static func operation(_ message: ArraySlice<UInt8>, depth: Int) throws(MalformedBytes)
        -> Operation
    {
        var operation = Operation.empty
        var reader = ProtobufReader(message)
        while try reader.next() {
            switch reader.number {
            case 1: operation = .range(try RangeRequest(try reader.bytes()))
            case 2: operation = .put(try PutRequest(try reader.bytes()))
            case 3: operation = .deleteRange(try DeleteRangeRequest(try reader.bytes()))
            case 4: operation = .txn(try TxnRequest(try reader.bytes(), depth: depth + 1))
            default: break
            }
        }
        return operation
    }
}

extension TxnRequest {
    /// Whether it changes nothing whichever way it goes. A nested transaction counts as a change,
    /// as in etcd.
    package var isReadOnly: Bool {
        (success + failure).allSatisfy { operation in
            if case .range = operation { true } else { false }
        }
    }

    /// Whether a read-only transaction may be answered from this replica's state as it is: every
    /// range in both lists says so.
    package var isSerializable: Bool {
        (success + failure).allSatisfy { operation in
            if case .range(let range) = operation { range.isSerializable } else { false }
        }
    }

    /// What can be refused without looking at any state. `maxOperations` bounds each list and, what
    /// is left of it, the lists of nested transactions.
    package func check(maxOperations: Int) throws(KeyspaceError) {
        try checkOperations(budget: maxOperations)
        try checkDuplicates()
    }

    private func checkOperations(budget: Int) throws(KeyspaceError) {
        let count = max(comparisons.count, success.count, failure.count)
        if count > budget { throw .tooManyOperations }
        for comparison in comparisons where comparison.key.isEmpty { throw .emptyKey }
        for list in [success, failure] {
            for operation in list {
                switch operation {
                case .range(let request): try request.check()
                case .put(let request): try request.check()
                case .deleteRange(let request): try request.check()
                case .txn(let request): try request.checkOperations(budget: budget - count)
                case .empty: throw .keyNotFound
                }
            }
        }
    }
}
