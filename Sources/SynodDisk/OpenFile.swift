import SynodBytes
import SynodStorage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// An open file, closed when it goes out of scope.
struct OpenFile: ~Copyable {
    private let descriptor: Int32

    /// - Parameter flags: As for open(2). Children of this process never inherit the file.
    init(_ path: String, _ flags: Int32, mode: mode_t = 0o600) throws(StorageError) {
        descriptor = open(path, flags | O_CLOEXEC, mode)
        if descriptor < 0 { throw FileSystem.error("open \(path)") }
    }

    deinit { close(descriptor) }

    /// Takes the exclusive lock, or returns false if another open file of any process has it.
    func tryLock() -> Bool {
        flock(descriptor, LOCK_EX | LOCK_NB) == 0
    }

    /// The length in bytes.
    func size() throws(StorageError) -> Int {
        var status = stat()
        if fstat(descriptor, &status) != 0 { throw FileSystem.error("examine a file") }
        return Int(status.st_size)
    }

    func write(_ bytes: Bytes, at offset: Int) throws(StorageError) {
        let failure = bytes.withUnsafeBytes { raw -> StorageError? in
            do throws(StorageError) {
                try write(raw, at: offset)
                return nil
            } catch {
                return error
            }
        }
        if let failure { throw failure }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(StorageError) {
        guard let start = bytes.baseAddress else { return }
        var written = 0
        while written < bytes.count {
            let count = pwrite(
                descriptor, start + written, bytes.count - written, off_t(offset + written))
            if count < 0 && errno == EINTR { continue }
            if count < 0 { throw FileSystem.error("write a file") }
            written += count
        }
    }

    /// At most `limit` bytes from the beginning.
    func read(limit: Int) throws(StorageError) -> Bytes {
        var failure: StorageError?
        let bytes = Bytes(unsafeUninitializedCapacity: limit) { buffer, filled in
            do throws(StorageError) {
                filled = try read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Fills the buffer with what is at an offset, and returns how many bytes there were before the
    /// end of the file.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(StorageError)
        -> Int
    {
        guard let start = buffer.baseAddress else { return 0 }
        var filled = 0
        while filled < buffer.count {
            let count = pread(
                descriptor, start + filled, buffer.count - filled, off_t(offset + filled))
            if count < 0 && errno == EINTR { continue }
            if count < 0 { throw FileSystem.error("read a file") }
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    func truncate() throws(StorageError) {
        if ftruncate(descriptor, 0) != 0 { throw FileSystem.error("truncate a file") }
    }

    /// Makes the file, or the directory, durable with all that belongs to it.
    func sync() throws(StorageError) {
        #if canImport(Darwin)
            let result = fcntl(descriptor, F_FULLFSYNC)
        #else
            let result = fsync(descriptor)
        #endif
        if result != 0 { throw FileSystem.error("sync a file") }
    }

    /// Makes the file's content durable, and its times only if that costs nothing: for a file that
    /// is overwritten in place. (On a directory this may do nothing at all.)
    func syncContent() throws(StorageError) {
        #if canImport(Darwin)
            try sync()
        #else
            if fdatasync(descriptor) != 0 { throw FileSystem.error("sync a file") }
        #endif
    }
}
