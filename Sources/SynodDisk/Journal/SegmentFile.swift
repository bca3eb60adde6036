import SynodBytes
import SynodStorage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// An open file of a fixed size that is or was a segment of a ``Journal``, under whatever name.
final class SegmentFile: Sendable {
    /// Bytes.
    let size: Int
    let file: OpenFile

    /// Opens the file that is there.
    init(opening path: String) throws(StorageError) {
        file = try OpenFile(path, O_RDWR)
        size = try file.size()
    }

    /// Makes a file all of whose blocks are allocated, written and durable, so that a write into
    /// it later changes nothing but those. The name is not durable yet.
    ///
    /// - Parameter afterPart: Called after each part of it was written.
    init(
        making path: String, size: Int,
        afterPart: (borrowing OpenFile) throws(StorageError) -> Void = { _ in }
    ) throws(StorageError) {
        self.size = size
        let temporary = path + Self.unfinishedSuffix
        file = try OpenFile(temporary, O_RDWR | O_CREAT | O_TRUNC)
        do throws(StorageError) {
            let zeros = Bytes(repeating: 0, count: min(size, JournalLimits.fill))
            for offset in stride(from: 0, to: size, by: zeros.count) {
                let part = min(zeros.count, size - offset)
                try file.write(part == zeros.count ? zeros : Bytes(zeros.prefix(part)), at: offset)
                try afterPart(file)
            }
            try file.sync()
            try FileSystem.move(temporary, to: path)
        } catch {
            // On a full disk this is what others could use.
            try? FileSystem.remove(temporary)
            throw error
        }
    }

    /// What the name of a file ends with that was not made to the end.
    static let unfinishedSuffix = ".new"
}
