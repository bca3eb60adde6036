import CRocksDB
import SynodStorage

/// Turns RocksDB's error strings into ``StorageError``s that say what to do.
enum RocksFailure {
    /// Calls RocksDB, which reports failure by setting a string, and throws if it did.
    ///
    /// - Parameter purpose: What was being done, to follow "could not".
    @inline(__always)
    static func check<Result>(
        _ purpose: @autoclosure () -> String,
        _ call: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) throws(StorageError) -> Result {
        var text: UnsafeMutablePointer<CChar>?
        let result = call(&text)
        guard let text else { return result }
        defer { rocksdb_free(text) }
        throw error(String(cString: text), purpose())
    }

    /// The error for what RocksDB said when it was asked to do `purpose`.
    static func error(_ text: String, _ purpose: String) -> StorageError {
        let (kind, advice): (StorageError.Kind, String) =
            if has(text, ["No space left", "Disk quota exceeded"]) {
                (.full, Advice.freeSpace)
            } else if has(text, ["While lock file", "lock hold by"]) {
                (.locked, "Stop the process that uses the directory, then start again.")
            } else if has(text, ["Corruption", "No such file or directory", "checksum mismatch"]) {
                (.corrupt, Advice.fetchState)
            } else {
                (.io, Advice.checkDisk)
            }
        return StorageError(kind, "Could not \(purpose): \(text). \(advice)")
    }

    private static func has(_ text: String, _ needles: [String]) -> Bool {
        needles.contains { text.contains($0) }
    }
}
