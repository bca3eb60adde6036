import CRocksDB
import SynodStorage

/// RocksDB's options, in its own notation.
///
/// - A failed background write is never resumed by the engine itself.
/// - Memory is bounded: two write buffers, a small block cache that also holds the indexes,
///   and few open files.
/// - One thread writes, so inserting into the write buffer needs no atomic operations. (Insertion
///   hints, `memtable_insert_with_hint_prefix_extractor`, would be 7 % faster, but RocksDB 7.8 keeps
///   one hint for keys and deleted ranges alike, which are in different lists, and crashes.)
enum RocksOptions {
    private static let text = """
        paranoid_checks=true;\
        max_bgerror_resume_count=0;\
        bytes_per_sync=1048576;\
        max_background_jobs=2;\
        max_open_files=128;\
        max_write_buffer_number=2;\
        allow_concurrent_memtable_write=false;\
        enable_pipelined_write=false;\
        skip_stats_update_on_db_open=true;\
        stats_dump_period_sec=0;\
        stats_persist_period_sec=0;\
        info_log_level=WARN_LEVEL;\
        max_log_file_size=1048576;\
        keep_log_file_num=2;\
        max_manifest_file_size=4194304;\
        write_buffer_size=16777216;\
        compression=kLZ4Compression;\
        block_based_table_factory={block_cache=8388608;\
        cache_index_and_filter_blocks=true;}
        """

    /// RocksDB's options object, for the caller to destroy.
    ///
    /// - Parameter mayCreate: Whether a store that is not there is made, or an error.
    static func make(mayCreate: Bool) throws(StorageError) -> OpaquePointer {
        let base = rocksdb_options_create()!
        defer { rocksdb_options_destroy(base) }
        let parsed = rocksdb_options_create()!
        do {
            try RocksFailure.check("configure the store") { error in
                rocksdb_get_options_from_string(base, text, parsed, error)
            }
        } catch {
            rocksdb_options_destroy(parsed)
            throw error
        }
        rocksdb_options_set_create_if_missing(parsed, mayCreate ? 1 : 0)
        return parsed
    }
}
