import Synchronization
package import SynodBytes
package import SynodStorage

/// A ``Store`` on disk, by RocksDB.
///
/// After the first failed write, sync or flush it takes no others: all throw that first error,
/// because what an engine or a kernel makes of its buffers after a failed sync cannot be known.
package final class RocksStore: Store, Sendable {
    /// Whether a store may be made where there is none.
    package enum Creation: Sendable {
        case allowed
        /// A missing store is a lost one.
        case forbidden
    }

    private struct State {
        /// Nil after ``RocksStore/close()``.
        var handle: RocksHandle?
        /// The first failed write, after which there are no others.
        var failure: StorageError?
    }

    private let state: Mutex<State>

    /// Opens the store in the directory `path`, or makes it if that is allowed and nothing is there.
    ///
    /// Throws ``StorageError/Kind/locked`` if it is open elsewhere, in this process or another, and
    /// ``StorageError/Kind/corrupt`` if parts of it are missing or damaged.
    package init(path: String, kind: RocksKind, creation: Creation) throws(StorageError) {
        let isNew = try Self.isNew(path)
        if isNew && creation == .forbidden {
            throw StorageError(.corrupt, "There is no store in \(path). \(Advice.replaceMember)")
        }
        if isNew { try FileSystem.makeDirectory(path) }
        let handle = try RocksHandle(path: path, kind: kind, isNew: isNew)
        state = Mutex(State(handle: handle))
    }

    /// Removes the store in the directory `path`, which is not open, and everything else there.
    package static func destroy(path: String) throws(StorageError) {
        try FileSystem.removeTree(path)
    }

    package func write(_ batch: WriteBatch, durability: Durability) throws(StorageError) {
        try change { handle throws(StorageError) in
            try handle.write(batch, durability: durability)
        }
    }

    package func flush() throws(StorageError) {
        try change { handle throws(StorageError) in try handle.flush() }
    }

    package func get(_ key: Bytes) throws(StorageError) -> Bytes? {
        try openHandle().get(key)
    }

    package func scan(
        from lower: Bytes, to upper: Bytes?,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(StorageError) {
        try openHandle().scan(from: lower, to: upper, snapshot: nil, body)
    }

    package func view() -> RocksView {
        RocksView(of: state.withLock { $0.handle })
    }

    package var approximateSize: UInt64 {
        state.withLock { $0.handle }?.approximateSize ?? 0
    }

    /// Closes the store: later calls throw. The directory is free once no view of it is left;
    /// buffered writes are flushed then, as far as that is possible.
    package func close() {
        state.withLock { $0.handle = nil }
    }

    /// Whether `path` holds nothing of a store, or only what an interrupted creation leaves.
    /// RocksDB itself would start an empty store beside the data if only its `CURRENT` was lost.
    private static func isNew(_ path: String) throws(StorageError) -> Bool {
        guard FileSystem.exists(path) else { return true }
        let names = try FileSystem.list(path)
        if names.contains("CURRENT") { return false }
        if names.contains(where: { $0.hasSuffix(".log") || $0.hasSuffix(".sst") }) {
            throw StorageError(.corrupt, "\(path)/CURRENT is missing. \(Advice.replaceMember)")
        }
        return true
    }

    private func openHandle() throws(StorageError) -> RocksHandle {
        guard let handle = state.withLock({ $0.handle }) else { throw Self.closed }
        return handle
    }

    /// Runs a write unless an earlier one failed, and remembers the first failure.
    private func change(
        _ body: (RocksHandle) throws(StorageError) -> Void
    ) throws(StorageError) {
        let (handle, failure) = state.withLock { ($0.handle, $0.failure) }
        if let failure { throw failure }
        guard let handle else { throw Self.closed }
        do {
            try body(handle)
        } catch {
            throw state.withLock { state in
                let first = state.failure ?? error
                state.failure = first
                return first
            }
        }
    }

    fileprivate static let closed = StorageError(.io, "The store is closed.")
}

/// A picture of a ``RocksStore``; keeps the database open for as long as it lives.
package final class RocksView: StoreView, @unchecked Sendable {
    private let handle: RocksHandle?
    /// A RocksDB snapshot, which never changes and may be read by any thread.
    private let snapshot: OpaquePointer?

    fileprivate init(of handle: RocksHandle?) {
        self.handle = handle
        snapshot = handle?.makeSnapshot()
    }

    deinit {
        if let handle, let snapshot { handle.release(snapshot: snapshot) }
    }

    package func scan(
        from lower: Bytes, to upper: Bytes?,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(StorageError) {
        guard let handle else { throw RocksStore.closed }
        try handle.scan(from: lower, to: upper, snapshot: snapshot, body)
    }
}
