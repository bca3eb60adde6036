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
    /// What lies here cannot be read.
    var damagedKey: Bytes?
    /// Batches so far, those that a crash took back left out.
    private var batchCount: UInt64 = 0
    /// The batches that were reported as durable.
    private var acknowledged: UInt64 = 0
    /// The failed write or sync after which there are no others.
    private var failure: StorageError?

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

    typealias FaultPlan = (counts: [UInt64], faults: [Fault], damagedKey: Bytes?)

    mutating func suspendFaults() -> FaultPlan {
        defer { (faults, damagedKey) = ([], nil) }
        return (counts, faults, damagedKey)
    }

    mutating func resumeFaults(_ plan: FaultPlan) {
        (counts, faults, damagedKey) = plan
    }

    static let damage = StorageError(.corrupt, "A block does not match its checksum.")

    var extent: LogExtent { LogExtent(lastRecord: batchCount, durableThrough: acknowledged) }

    /// What a crash leaves: the oldest `kept` of the unsynced batches, and the disk as damaged and as
    /// full as it is.
    func crashed(keepingUnsynced kept: Int) -> MemoryState {
        precondition(
            (0...unsynced.count).contains(kept),
            "A crash keeps some of the batches that are unsynced.")
        var left = MemoryState()
        left.pairs = pairs
        for batch in unsynced[kept...].reversed() {
            for undo in batch.reversed() { undo.apply(to: &left.pairs) }
        }
        left.capacity = capacity
        left.damagedKey = damagedKey
        left.batchCount = batchCount - UInt64(unsynced.count - kept)
        left.acknowledged = acknowledged
        return left
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
        batchCount += 1
    }

    /// Makes all batches durable.
    mutating func sync() throws(StorageError) {
        try begin(.sync)
        acknowledged = batchCount
        if !liesAboutSyncs { unsynced.removeAll(keepingCapacity: true) }
    }
}
