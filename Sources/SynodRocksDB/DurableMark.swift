import SynodBytes
import SynodStorage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How far a log store was durable, in a small file beside it: tells files that lost their end,
/// and acknowledged writes with it, from files that a crash cut short.
///
/// RocksDB takes a shortened write-ahead log or manifest, or a last record with an impossible
/// length, for an unfinished write, and opens without it. The mark knows better:
/// - A store whose last sequence number is below the mark's has lost what it acknowledged.
/// - A manifest that is shorter than when the store was last opened has forgotten table files
///   written then. (For those written later, RocksDB itself misses the logs they replaced.)
///
/// The mark is written after the sync that it speaks of and is not synced itself: it survives
/// the death of the process, and after a power cut it is at worst too low. Two slots take turns,
/// so that a torn write leaves the other.
final class DurableMark {
    private struct Content: Equatable {
        var sequence: UInt64 = 0
        var manifest = ManifestExtent()
    }

    private static let name = "DURABLE"
    /// The slots are a sector apart.
    private static let slotOffsets = [0, 512]
    private static let fileSize = 1024

    private let directory: String
    private let file: OpenFile
    private var nextSlot = 0
    private var content: Content

    /// Opens the mark in the directory of a store, or makes it if the store is new; before RocksDB
    /// opens the store.
    init(directory: String, isNew: Bool) throws(StorageError) {
        self.directory = directory
        let path = "\(directory)/\(Self.name)"
        if isNew {
            var bytes = Bytes(repeating: 0, count: Self.fileSize)
            let slot = Self.encode(Content())
            for offset in Self.slotOffsets {
                bytes.replaceSubrange(offset..<offset + slot.count, with: slot)
            }
            try FileSystem.replace(path, with: bytes)
        }
        guard FileSystem.exists(path) else {
            throw StorageError(.corrupt, "\(path) is missing. \(Advice.replaceMember)")
        }
        file = try OpenFile(path, O_RDWR)
        let bytes = try file.read(limit: Self.fileSize)
        let contents = Self.slotOffsets.compactMap { Self.decode(bytes.dropFirst($0)) }
        let newest = contents.max { left, right in
            (left.sequence, left.manifest.number) < (right.sequence, right.manifest.number)
        }
        guard let content = newest else {
            throw StorageError(.corrupt, "\(path) is damaged. \(Advice.replaceMember)")
        }
        self.content = content
        nextSlot = Self.decode(bytes) == content ? 1 : 0
        if !isNew { try refuseShorterManifest() }
    }

    /// Checks what RocksDB found, and notes the manifest that it has just written.
    func opened(at sequence: UInt64) throws(StorageError) {
        guard sequence >= content.sequence else {
            throw StorageError(
                .corrupt,
                """
                The store in \(directory) ends at \(sequence) and had acknowledged \
                \(content.sequence): its last writes are lost. \(Advice.replaceMember)
                """)
        }
        content.sequence = sequence
        content.manifest = try ManifestExtent(directory: directory)
        try save()
    }

    /// Notes that everything through a sequence number is durable.
    func record(_ sequence: UInt64) throws(StorageError) {
        guard sequence > content.sequence else { return }
        content.sequence = sequence
        try save()
    }

    private func refuseShorterManifest() throws(StorageError) {
        let manifest = try ManifestExtent(directory: directory)
        let known = content.manifest
        let isWhole =
            manifest.number > known.number
            || (manifest.number == known.number && manifest.size >= known.size)
        guard isWhole else {
            throw StorageError(
                .corrupt,
                """
                The manifest \(manifest.number) in \(directory) has \(manifest.size) bytes; it was \
                \(known.number) with \(known.size) bytes. \(Advice.replaceMember)
                """)
        }
    }

    private func save() throws(StorageError) {
        try file.write(Self.encode(content), at: Self.slotOffsets[nextSlot])
        nextSlot = 1 - nextSlot
    }

    /// Sequence number, manifest number, manifest size; the CRC-32C of these.
    private static func encode(_ content: Content) -> Bytes {
        var writer = ByteWriter(capacity: 28)
        writer.write(content.sequence)
        writer.write(content.manifest.number)
        writer.write(content.manifest.size)
        writer.write(CRC32C.checksum(writer.bytes))
        return writer.bytes
    }

    private static func decode(_ slot: some Collection<UInt8>) -> Content? {
        var reader = ByteReader(Bytes(slot.prefix(28)))
        guard let sequence = try? reader.read(UInt64.self),
            let number = try? reader.read(UInt64.self),
            let size = try? reader.read(UInt64.self),
            let checksum = try? reader.read(UInt32.self),
            CRC32C.checksum(slot.prefix(24)) == checksum
        else { return nil }
        return Content(
            sequence: sequence, manifest: ManifestExtent(number: number, size: size))
    }
}

/// Which manifest, RocksDB's list of its files, is current, and how long it is.
private struct ManifestExtent: Equatable {
    private static let prefix = "MANIFEST-"

    var number: UInt64 = 0
    /// Bytes.
    var size: UInt64 = 0

    init(number: UInt64 = 0, size: UInt64 = 0) {
        self.number = number
        self.size = size
    }

    /// The manifest that `CURRENT` names in the directory of a store.
    init(directory: String) throws(StorageError) {
        let current = try OpenFile("\(directory)/CURRENT", O_RDONLY).read(limit: 64)
        let name = String(decoding: current.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
        guard name.hasPrefix(Self.prefix), let number = UInt64(name.dropFirst(Self.prefix.count)),
            FileSystem.exists("\(directory)/\(name)")
        else {
            throw StorageError(
                .corrupt,
                "\(directory)/CURRENT names no manifest that is there. \(Advice.replaceMember)")
        }
        self.number = number
        size = try FileSystem.size("\(directory)/\(name)")
    }
}
