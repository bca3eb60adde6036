import Synchronization
package import SynodBytes

/// A deterministic ``Store`` without a disk, for tests and for simulation: it can fail, fill up,
/// lie, and crash.
///
/// What is not durable yet is remembered as how to take it back, batch by batch, so that a synced
/// write costs no more than the change itself and any legal state after a crash can be built.
package final class MemoryStore: Store, Sendable {
    /// What a fault can be tied to. A synced write is a write and then a sync.
    package enum Operation: Int, Sendable, CaseIterable {
        case write
        /// Of a synced write or of a ``flush()``.
        case sync
        /// A ``get(_:)`` or the start of a scan, of the store or of a view.
        case read
    }

    private let state: Mutex<MemoryState>

    /// An empty store.
    package convenience init() {
        self.init(MemoryState())
    }

    private init(_ state: sending MemoryState) {
        self.state = Mutex(state)
    }

    package func write(_ batch: WriteBatch, durability: Durability) throws(StorageError) {
        try state.withLock { state throws(StorageError) in
            try state.write(batch)
            if durability == .synced { try state.sync() }
        }
    }

    package func get(_ key: Bytes) throws(StorageError) -> Bytes? {
        try state.withLock { state throws(StorageError) in
            try state.begin(.read)
            if key == state.damagedKey { throw MemoryState.damage }
            return key.withUnsafeBytes(state.pairs.value)
        }
    }

    package func scan(
        from lower: Bytes, to upper: Bytes?,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(StorageError) {
        try scan(nil, from: lower, to: upper, body)
    }

    /// - Parameter picture: the pairs to visit; nil for the present ones.
    fileprivate func scan(
        _ picture: SortedPairs?, from lower: Bytes, to upper: Bytes?,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(StorageError) {
        // The pairs are copied out (sharing their storage), because `body` may call the store.
        let (pairs, damaged) = try state.withLock { state throws(StorageError) in
            try state.begin(.read)
            return (picture ?? state.pairs, state.damagedKey)
        }
        guard let damaged, !damaged.lexicographicallyPrecedes(lower),
            upper.map(damaged.lexicographicallyPrecedes) ?? true
        else { return pairs.scan(from: lower, to: upper, body) }
        var isEnough = false
        pairs.scan(from: lower, to: damaged) { key, value in
            isEnough = !body(key, value)
            return !isEnough
        }
        if !isEnough { throw MemoryState.damage }
    }

    package func flush() throws(StorageError) {
        try state.withLock { state throws(StorageError) in
            try state.refuseAfterFailure()
            try state.sync()
        }
    }

    package func view() -> MemoryView {
        MemoryView(of: self, state.withLock { $0.pairs })
    }

    package var approximateSize: UInt64 {
        state.withLock { UInt64($0.pairs.byteCount) }
    }

    /// How far it reaches as a log: its records are its batches, each of which is acknowledged when a
    /// sync behind it has returned. The mark beside it survives every crash.
    package var extent: LogExtent { state.withLock { $0.extent } }
}

/// Faults, and what a crash leaves.
extension MemoryStore {
    /// How many batches a crash now could take back.
    package var unsyncedBatchCount: Int {
        state.withLock { $0.unsynced.count }
    }

    /// How often an operation has been begun so far, failed ones included.
    package func count(of operation: Operation) -> UInt64 {
        state.withLock { $0.counts[operation.rawValue] }
    }

    /// Makes the operation that will be the `number`th of its kind (from 1) throw `error`. After a
    /// failed write or sync all later ones throw the same error, as those of a real store do; the
    /// batch of a failed sync is applied but unsynced.
    package func fail(_ operation: Operation, at number: UInt64, with error: StorageError) {
        state.withLock {
            $0.faults.append(Fault(operation: operation, number: number, error: error))
        }
    }

    /// Takes back what ``fail(_:at:with:)`` has announced and what has not happened yet.
    package func cancelFaults() {
        state.withLock { $0.faults.removeAll() }
    }

    /// Damages the place where this key is, or would be: from now on whoever reads there, in the store or
    /// in a picture of it, finds it ``StorageError/Kind/corrupt``, after crashes as well.
    package func damage(_ key: Bytes) { state.withLock { $0.damagedKey = key } }

    package var isDamaged: Bool { state.withLock { $0.damagedKey != nil } }

    /// Runs what is no part of the system: it meets no faults and is not counted.
    package func unnoticed<Result>(_ body: () throws -> Result) rethrows -> Result {
        let plan = state.withLock { $0.suspendFaults() }
        defer { state.withLock { $0.resumeFaults(plan) } }
        return try body()
    }

    /// The bytes of keys and values that fit; a batch that would leave more fails with
    /// ``StorageError/Kind/full``. Nil (the default) for no bound.
    package var capacity: Int? {
        get { state.withLock { $0.capacity } }
        set { state.withLock { $0.capacity = newValue } }
    }

    /// While true, syncs succeed and make nothing durable, as those of a lying disk.
    package var liesAboutSyncs: Bool {
        get { state.withLock { $0.liesAboutSyncs } }
        set { state.withLock { $0.liesAboutSyncs = newValue } }
    }

    /// A store in the same state, with the same unsynced batches, faults and counts.
    package func copy() -> MemoryStore {
        MemoryStore(state.withLock { $0 })
    }

    /// What a restart may find after a crash now: everything durable and the oldest `kept` of the
    /// ``unsyncedBatchCount`` unsynced batches. The new store counts from zero and has no faults, but the
    /// same ``capacity``, and damage in the same place.
    package func crashImage(keepingUnsynced kept: Int) -> MemoryStore {
        MemoryStore(state.withLock { $0.crashed(keepingUnsynced: kept) })
    }
}

/// A picture of a ``MemoryStore``. Its reads count as the store's.
package final class MemoryView: StoreView {
    private let store: MemoryStore
    private let pairs: SortedPairs

    fileprivate init(of store: MemoryStore, _ pairs: SortedPairs) {
        self.store = store
        self.pairs = pairs
    }

    package func scan(
        from lower: Bytes, to upper: Bytes?,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(StorageError) {
        try store.scan(pairs, from: lower, to: upper, body)
    }
}
