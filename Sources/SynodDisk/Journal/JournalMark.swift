import SynodBytes
import SynodStorage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What a ``Journal`` knows of itself beside its segments, in the small file `DURABLE`: tells
/// segments that lost their end, and acknowledged records with it, from those that a crash cut
/// short.
///
/// - How far the records are durable is written after the sync that made them so and is not
///   synced itself: it survives the death of the process, and after a power cut it is at worst too
///   low.
/// - Which segments there are is synced before anything depends on it, so it is never too low.
///
/// Two slots take turns, so that a torn write leaves the other one.
struct JournalMark: ~Copyable {
    struct Content: Equatable {
        /// Distinguishes this journal's records from all others'.
        var salt: UInt64
        /// Counts the writes of the mark: the higher one of the two slots is valid.
        var generation: UInt64 = 0
        /// All records up to the one of this sequence number are durable.
        var durableThrough: UInt64 = 0
        /// The number of the first segment that is still needed.
        var oldest: UInt64 = 1
        /// The number of the last segment into which records may have been written.
        var newest: UInt64 = 0
    }

    static let name = "DURABLE"
    private static let formatVersion: UInt32 = 1
    /// Of a slot: format version, then the five numbers; CRC-32C of these.
    private static let slotSize = 48
    /// The slots are a page apart, so that they are not written to the disk together.
    private static let slotOffsets = [0, JournalLimits.page]
    private static let fileSize = 2 * JournalLimits.page

    private let file: OpenFile
    private var nextSlot: Int
    private(set) var content: Content

    /// Makes the mark of a new journal.
    static func create(in directory: String, salt: UInt64) throws(StorageError) {
        var bytes = Bytes(repeating: 0, count: fileSize)
        let slot = encode(Content(salt: salt))
        for offset in slotOffsets {
            bytes.replaceSubrange(offset..<offset + slot.count, with: slot)
        }
        try FileSystem.replace("\(directory)/\(name)", with: bytes)
    }

    /// Opens the mark that is there.
    init(directory: String) throws(StorageError) {
        let path = "\(directory)/\(Self.name)"
        let file = try OpenFile(path, O_RDWR)
        let bytes = try file.read(limit: Self.fileSize)
        var slots: [Content?] = []
        for offset in Self.slotOffsets {
            slots.append(try Self.decode(bytes.dropFirst(offset).prefix(Self.slotSize)))
        }
        let newest = slots.compactMap { $0 }.max { $0.generation < $1.generation }
        guard let newest else {
            throw StorageError(.corrupt, "\(path) is damaged. \(Advice.replaceMember)")
        }
        self.file = file
        content = newest
        nextSlot = slots[0] == newest ? 1 : 0
    }

    /// Notes that all records up to this one are durable.
    mutating func record(durableThrough sequence: UInt64) throws(StorageError) {
        guard sequence > content.durableThrough else { return }
        content.durableThrough = sequence
        try writeSlot()
    }

    /// Notes which segments there are, durably and in both slots: whichever of them a crash
    /// tears, the other one knows.
    mutating func settle(durableThrough sequence: UInt64, oldest: UInt64, newest: UInt64)
        throws(StorageError)
    {
        content.durableThrough = sequence
        content.oldest = oldest
        content.newest = newest
        for _ in Self.slotOffsets {
            try writeSlot()
            try file.syncContent()
        }
    }

    private mutating func writeSlot() throws(StorageError) {
        content.generation += 1
        try file.write(Self.encode(content), at: Self.slotOffsets[nextSlot])
        nextSlot = 1 - nextSlot
    }

    private static func encode(_ content: Content) -> Bytes {
        var writer = ByteWriter(capacity: slotSize)
        writer.write(formatVersion)
        writer.write(content.salt)
        writer.write(content.generation)
        writer.write(content.durableThrough)
        writer.write(content.oldest)
        writer.write(content.newest)
        writer.write(CRC32C.checksum(writer.bytes))
        return writer.bytes
    }

    /// Nil if the slot is damaged; throws if it is whole and of a newer format.
    private static func decode(_ slot: ArraySlice<UInt8>) throws(StorageError) -> Content? {
        var reader = ByteReader(slot)
        guard let version = try? reader.read(UInt32.self),
            let salt = try? reader.read(UInt64.self),
            let generation = try? reader.read(UInt64.self),
            let durableThrough = try? reader.read(UInt64.self),
            let oldest = try? reader.read(UInt64.self),
            let newest = try? reader.read(UInt64.self),
            let checksum = try? reader.read(UInt32.self),
            CRC32C.checksum(slot.dropLast(4)) == checksum, oldest > 0
        else { return nil }
        guard version == formatVersion else {
            throw StorageError(
                .unsuitable,
                """
                The log has format \(version), and this program knows format \(formatVersion). \
                Start the program that wrote it.
                """)
        }
        return Content(
            salt: salt, generation: generation, durableThrough: durableThrough, oldest: oldest,
            newest: newest)
    }
}
