import SynodBytes
import SynodStorage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How far a log store was durable, in a small file beside it: tells a damaged end of the
/// write-ahead log, which may hold acknowledged writes, from one that a crash cut short.
///
/// RocksDB takes a last record with an impossible length, a shortened log and a shortened
/// manifest for unfinished writes and opens without them. A store whose last sequence number is
/// below the mark has lost what it acknowledged.
///
/// The mark is written after the sync that it speaks of and is not synced itself: it survives
/// the death of the process, and after a power cut it is at worst too low. Two slots take turns,
/// so that a torn write leaves the other.
final class DurableMark: @unchecked Sendable {
    private static let name = "DURABLE"
    /// The slots are a sector apart.
    private static let slotOffsets = [0, 512]
    private static let fileSize = 1024

    private let file: OpenFile
    /// The slot to write next. Used under the lock of the store's writers.
    private var nextSlot = 0
    /// The largest sequence number recorded.
    private(set) var sequence: UInt64

    /// Opens the mark in the directory of a store, or makes it if the store is new.
    init(directory: String, isNew: Bool) throws(StorageError) {
        let path = "\(directory)/\(Self.name)"
        if isNew {
            var bytes = Bytes(repeating: 0, count: Self.fileSize)
            for offset in Self.slotOffsets {
                let slot = Self.encode(0)
                bytes.replaceSubrange(offset..<offset + slot.count, with: slot)
            }
            try FileSystem.replace(path, with: bytes)
        }
        guard FileSystem.exists(path) else {
            throw StorageError(.corrupt, "\(path) is missing. \(Advice.replaceMember)")
        }
        file = try OpenFile(path, O_RDWR)
        let bytes = try file.read(limit: Self.fileSize)
        let sequences = Self.slotOffsets.map { Self.decode(bytes.dropFirst($0)) }
        guard let sequence = sequences.compactMap({ $0 }).max() else {
            throw StorageError(.corrupt, "\(path) is damaged. \(Advice.replaceMember)")
        }
        self.sequence = sequence
        nextSlot = sequences[0] == sequence ? 1 : 0
    }

    /// Notes that everything through a sequence number is durable.
    func record(_ durable: UInt64) throws(StorageError) {
        guard durable > sequence else { return }
        try file.write(Self.encode(durable), at: Self.slotOffsets[nextSlot])
        sequence = durable
        nextSlot = 1 - nextSlot
    }

    private static func encode(_ sequence: UInt64) -> Bytes {
        var writer = ByteWriter(capacity: 12)
        writer.write(sequence)
        writer.write(CRC32C.checksum(writer.bytes))
        return writer.bytes
    }

    private static func decode(_ slot: ArraySlice<UInt8>) -> UInt64? {
        var reader = ByteReader(slot)
        guard let sequence = try? reader.read(UInt64.self),
            let checksum = try? reader.read(UInt32.self),
            CRC32C.checksum(slot.prefix(8)) == checksum
        else { return nil }
        return sequence
    }
}
