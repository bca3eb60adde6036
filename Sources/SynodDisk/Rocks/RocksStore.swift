package import SynodBytes
package import SynodStorage

/// A ``Store`` on disk, by RocksDB, without a write-ahead log: writes go to memory, and a flush
/// makes them durable, oldest first.
///
/// After the first failed write or flush it takes no others: see ``StoreGate``.
package final class RocksStore: Store, Sendable {
    private let gate: StoreGate<RocksHandle>

    /// Opens the store in the directory `path`, or makes it if that is allowed and nothing is there.
    ///
    /// Throws ``StorageError/Kind/locked`` if it is open elsewhere, in this process or another,
    /// ``StorageError/Kind/corrupt`` if parts of it are missing or damaged, and
    /// ``StorageError/Kind/full`` if there is less than a megabyte on its volume.
    package init(path: String, creation: StoreCreation) throws(StorageError) {
        let isNew = try Self.isNew(path)
        if isNew && creation == .forbidden {
            throw StorageError(.corrupt, "There is no store in \(path). \(Advice.fetchState)")
        }
        if isNew { try FileSystem.makeDirectory(path) }
        try Self.refuseFullVolume(path)
        gate = StoreGate(try RocksHandle(path: path, isNew: isNew))
    }

    /// Bytes: several times what an opening writes, its manifest and its options.
    private static let roomToOpen: UInt64 = 1 << 20

    /// RocksDB, where it is built with assertions as distributions do, ends the process when one of the
    /// files that an opening writes finds no room, instead of reporting that.
    private static func refuseFullVolume(_ path: String) throws(StorageError) {
        let free = try FileSystem.space(path).free
        guard free < roomToOpen else { return }
        throw StorageError(
            .full,
            "Could not open the store in \(path): \(free) bytes are left on its volume, and it takes "
                + "\(roomToOpen). \(Advice.freeSpace)")
    }

    /// Removes the store in the directory `path`, which is not open, and everything else there.
    package static func destroy(path: String) throws(StorageError) {
        try FileSystem.removeTree(path)
    }

    package func write(_ batch: WriteBatch, durability: Durability) throws(StorageError) {
        try gate.change { handle throws(StorageError) in
            try handle.write(batch, durability: durability)
        }
    }

    package func flush() throws(StorageError) {
        try gate.change { handle throws(StorageError) in try handle.flush() }
    }

    package func get(_ key: Bytes) throws(StorageError) -> Bytes? {
        try gate.openHandle().get(key)
    }

    package func scan(
        from lower: Bytes, to upper: Bytes?,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(StorageError) {
        try gate.openHandle().scan(from: lower, to: upper, snapshot: nil, body)
    }

    package func view() -> RocksView {
        RocksView(of: gate.handle)
    }

    package var approximateSize: UInt64 {
        gate.handle?.approximateSize ?? 0
    }

    /// Closes the store: later calls throw. The directory is free once no view of it is left;
    /// buffered writes are flushed then, as far as that is possible.
    package func close() {
        gate.close()
    }

    /// Whether `path` holds nothing of a store, or only what an interrupted creation leaves.
    /// RocksDB itself would start an empty store beside the data if only its `CURRENT` was lost.
    static func isNew(_ path: String) throws(StorageError) -> Bool {
        guard FileSystem.exists(path) else { return true }
        let names = try FileSystem.list(path)
        if names.contains("CURRENT") { return false }
        if names.contains(where: { $0.hasSuffix(".log") || $0.hasSuffix(".sst") }) {
            throw StorageError(.corrupt, "\(path)/CURRENT is missing. \(Advice.fetchState)")
        }
        return true
    }
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
        guard let handle else { throw StorageError.closed }
        try handle.scan(from: lower, to: upper, snapshot: snapshot, body)
    }
}
