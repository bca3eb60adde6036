import SynodBytes

/// Makes one operation of a ``MemoryStore`` fail.
struct Fault: Sendable {
    let operation: MemoryStore.Operation
    /// Which one of its kind, from 1.
    let number: UInt64
    let error: StorageError
}

/// How to take one change back.
struct Undo: Sendable {
    let key: Bytes
    /// What was under the key before; nil for nothing.
    let value: Bytes?

    func apply(to pairs: inout SortedPairs) {
        key.withUnsafeBytes { key in
            if let value {
                value.withUnsafeBytes { _ = pairs.put(key, $0) }
            } else {
                _ = pairs.remove(key)
            }
        }
    }
}

/// What a ``MemoryStore`` guards with its lock.
struct MemoryState: Sendable {
    /// What reads see.
    var pairs = SortedPairs()
    /// How to take back each batch that is not durable yet, oldest first.
    private(set) var unsynced: [[Undo]] = []
    /// Operations begun, by ``MemoryStore/Operation``.
    private(set) var counts = [UInt64](repeating: 0, count: MemoryStore.Operation.allCases.count)
    var faults: [Fault] = []
    var capacity: Int?
    var liesAboutSyncs = false
    /// The failed write or sync after which there are no others.
    private var failure: StorageError?

    init(pairs: SortedPairs = SortedPairs()) {
        self.pairs = pairs
    }

    /// Counts an operation, and throws if it is one that was told to fail.
    mutating func begin(_ operation: MemoryStore.Operation) throws(StorageError) {
        counts[operation.rawValue] += 1
        let number = counts[operation.rawValue]
        guard
            let fault = faults.first(where: { $0.operation == operation && $0.number == number })
        else { return }
        if operation != .read { failure = fault.error }
        throw fault.error
    }

    mutating func suspendFaults() -> (counts: [UInt64], faults: [Fault]) {
        defer { faults = [] }
        return (counts, faults)
    }

    mutating func resumeFaults(_ plan: (counts: [UInt64], faults: [Fault])) {
        (counts, faults) = plan
    }

    func refuseAfterFailure() throws(StorageError) {
        if let failure { throw failure }
    }

    /// Applies a batch and remembers how to take it back.
    mutating func write(_ batch: WriteBatch) throws(StorageError) {
        try refuseAfterFailure()
        try begin(.write)
        var undos: [Undo] = []
        undos.reserveCapacity(batch.count)
        batch.forEach { operation in
            switch operation {
            case .put(let key, let value):
                undos.append(Undo(key: Bytes(key), value: pairs.put(key, value)))
            case .delete(let key):
                guard let removed = pairs.remove(key) else { return }
                undos.append(Undo(key: Bytes(key), value: removed))
            case .deleteRange(let lower, let upper):
                for pair in pairs.removeRange(from: lower, to: upper) {
                    undos.append(Undo(key: pair.key, value: pair.value))
                }
            }
        }
        if let capacity, pairs.byteCount > capacity {
            for undo in undos.reversed() { undo.apply(to: &pairs) }
            let full = StorageError(.full, "No space left: \(capacity) bytes fit.")
            failure = full
            throw full
        }
        unsynced.append(undos)
    }

    /// Makes all batches durable.
    mutating func sync() throws(StorageError) {
        try begin(.sync)
        if !liesAboutSyncs { unsynced.removeAll(keepingCapacity: true) }
    }
}
