import CRocksDB
import Synchronization
import SynodBytes
import SynodStorage

/// An open RocksDB and the C objects used with it; all calls of its C API that read or write
/// are here. Closed when nobody refers to it any more, so that a view outlives its store.
///
/// RocksDB's own calls may come from any thread; the write batch, which is reused, is guarded.
final class RocksHandle: @unchecked Sendable {
    private let database: OpaquePointer
    private let tools = RocksTools()
    /// Held by the one who writes: guards the tools' batch.
    private let writing = Mutex(())

    init(path: String, isNew: Bool) throws(StorageError) {
        let options = try RocksOptions.make(mayCreate: isNew)
        defer { rocksdb_options_destroy(options) }
        database = try RocksFailure.check("open the store in \(path)") { error in
            rocksdb_open(options, path, error)
        }!
    }

    deinit {
        rocksdb_close(database)
    }

    func write(_ changes: WriteBatch, durability: Durability) throws(StorageError) {
        try writing.withLock { _ throws(StorageError) in
            fill(changes)
            try RocksFailure.check("write to the store") { error in
                rocksdb_write(database, tools.buffered, tools.batch, error)
            }
        }
        if durability == .synced { try flush() }
    }

    func flush() throws(StorageError) {
        try RocksFailure.check("flush the store") { error in
            rocksdb_flush(database, tools.flushing, error)
        }
    }

    func get(_ key: Bytes) throws(StorageError) -> Bytes? {
        let found = try RocksFailure.check("read from the store") { error in
            key.withUnsafeBytes { key in
                rocksdb_get_pinned(database, tools.reading, key.chars, key.count, error)
            }
        }
        guard let found else { return nil }
        defer { rocksdb_pinnableslice_destroy(found) }
        var count = 0
        let value = rocksdb_pinnableslice_value(found, &count)
        return Bytes(UnsafeRawBufferPointer(start: value, count: count))
    }

    /// - Parameter snapshot: The moment to read; nil for now.
    func scan(
        from lower: Bytes, to upper: Bytes?, snapshot: OpaquePointer?,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(StorageError) {
        // An empty upper bound would be no bound to RocksDB.
        if let upper, upper.isEmpty { return }
        let options = rocksdb_readoptions_create()!
        defer { rocksdb_readoptions_destroy(options) }
        rocksdb_readoptions_set_fill_cache(options, 0)
        if let snapshot { rocksdb_readoptions_set_snapshot(options, snapshot) }
        try RocksFailure.check("scan the store") { error in
            (upper ?? []).withUnsafeBytes { bound in
                // RocksDB keeps a pointer to the bound for as long as the iterator lives.
                if upper != nil {
                    rocksdb_readoptions_set_iterate_upper_bound(options, bound.chars, bound.count)
                }
                let iterator = rocksdb_create_iterator(database, options)!
                defer { rocksdb_iter_destroy(iterator) }
                lower.withUnsafeBytes { rocksdb_iter_seek(iterator, $0.chars, $0.count) }
                Self.visit(iterator, body)
                rocksdb_iter_get_error(iterator, error)
            }
        }
    }

    private static func visit(
        _ iterator: OpaquePointer,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) {
        while rocksdb_iter_valid(iterator) != 0 {
            var keyCount = 0
            var valueCount = 0
            let key = rocksdb_iter_key(iterator, &keyCount)
            let value = rocksdb_iter_value(iterator, &valueCount)
            let goesOn = body(
                UnsafeRawBufferPointer(start: key, count: keyCount),
                UnsafeRawBufferPointer(start: value, count: valueCount))
            if !goesOn { return }
            rocksdb_iter_next(iterator)
        }
    }

    func makeSnapshot() -> OpaquePointer {
        rocksdb_create_snapshot(database)!
    }

    func release(snapshot: OpaquePointer) {
        rocksdb_release_snapshot(database, snapshot)
    }

    var approximateSize: UInt64 {
        property("rocksdb.live-sst-files-size") + property("rocksdb.cur-size-all-mem-tables")
    }

    private func property(_ name: String) -> UInt64 {
        var value: UInt64 = 0
        rocksdb_property_int(database, name, &value)
        return value
    }

    private func fill(_ changes: WriteBatch) {
        let batch = tools.batch
        rocksdb_writebatch_clear(batch)
        changes.forEach { operation in
            switch operation {
            case .put(let key, let value):
                rocksdb_writebatch_put(batch, key.chars, key.count, value.chars, value.count)
            case .delete(let key):
                rocksdb_writebatch_delete(batch, key.chars, key.count)
            case .deleteRange(let lower, let upper):
                // RocksDB refuses a range whose end comes before its start; to us it is empty.
                guard precedes(lower, upper) else { return }
                rocksdb_writebatch_delete_range(
                    batch, lower.chars, lower.count, upper.chars, upper.count)
            }
        }
    }
}

/// The C objects that are made once and used for every call.
private struct RocksTools: ~Copyable {
    let reading = rocksdb_readoptions_create()!
    let buffered = rocksdb_writeoptions_create()!
    let flushing = rocksdb_flushoptions_create()!
    let batch = rocksdb_writebatch_create()!

    init() {
        rocksdb_writeoptions_disable_WAL(buffered, 1)
    }

    deinit {
        rocksdb_writebatch_destroy(batch)
        rocksdb_flushoptions_destroy(flushing)
        rocksdb_writeoptions_destroy(buffered)
        rocksdb_readoptions_destroy(reading)
    }
}

extension UnsafeRawBufferPointer {
    /// The bytes as C's `char`, which is how RocksDB takes them. Never null, not even for an empty
    /// array.
    fileprivate var chars: UnsafePointer<CChar> {
        guard let baseAddress else { return UnsafePointer(bitPattern: 1)! }
        return baseAddress.assumingMemoryBound(to: CChar.self)
    }
}
