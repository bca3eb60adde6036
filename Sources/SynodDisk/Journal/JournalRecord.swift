import SynodBytes

/// What stands before a batch in a segment, and vouches for it.
///
/// ```
/// checksum         4   CRC-32C of the journal's salt, the segment's number and all that follows
/// count            4   bytes of the batch
/// sequence         8   one more than that of the record before
/// durableThrough   8   the highest sequence known to be durable when this was written
/// previous         4   checksum of the record before
/// life             4   drawn at random when the journal was opened
/// batch            count
/// ```
///
/// - The salt keeps clients from putting the image of a record into a value.
/// - The number keeps records of a recycled file's earlier life from being read again.
/// - `previous` and `life` keep a record that was dropped at an opening, and lies behind new ones,
///   from continuing those: its predecessor is not the one that was written in its place, not
///   even if that has the same content.
struct RecordHeader: Equatable {
    static let size = 32

    var checksum: UInt32 = 0
    let count: UInt32
    let sequence: UInt64
    let durableThrough: UInt64
    let previous: UInt32
    let life: UInt32

    /// The bytes of the record, up to where the next may begin.
    var extent: Int {
        roundUp(Self.size + Int(count), to: JournalLimits.sector)
    }
}

extension RecordHeader {
    init(reading raw: UnsafeRawBufferPointer, at offset: Int) {
        func load<T: FixedWidthInteger>(_ position: Int, _: T.Type = T.self) -> T {
            T(littleEndian: raw.loadUnaligned(fromByteOffset: offset + position, as: T.self))
        }
        checksum = load(0)
        count = load(4)
        sequence = load(8)
        durableThrough = load(16)
        previous = load(24)
        life = load(28)
    }

    func store(into raw: UnsafeMutableRawBufferPointer) {
        func put<T: FixedWidthInteger>(_ value: T, _ position: Int) {
            raw.storeBytes(of: value.littleEndian, toByteOffset: position, as: T.self)
        }
        put(checksum, 0)
        put(count, 4)
        put(sequence, 8)
        put(durableThrough, 16)
        put(previous, 24)
        put(life, 28)
    }
}

/// Computes the checksums of one segment's records.
struct RecordSeal {
    private let start: CRC32C

    init(salt: UInt64, segment: UInt64) {
        var start = CRC32C()
        withUnsafeBytes(of: (salt.littleEndian, segment.littleEndian)) { start.update($0) }
        self.start = start
    }

    /// - Parameter record: A record without what is behind its batch.
    func checksum(_ record: UnsafeRawBufferPointer) -> UInt32 {
        var crc = start
        crc.update(UnsafeRawBufferPointer(rebasing: record[4...]))
        return crc.value
    }

    /// The header of a record that lies whole and unharmed at an offset of a segment.
    ///
    /// - Parameter isPlausible: Whether it is worth the computation of the checksum.
    func header(
        in segment: UnsafeRawBufferPointer, at offset: Int,
        where isPlausible: (RecordHeader) -> Bool = { _ in true }
    ) -> RecordHeader? {
        guard segment.count - offset >= RecordHeader.size else { return nil }
        let header = RecordHeader(reading: segment, at: offset)
        let end = offset + RecordHeader.size + Int(header.count)
        guard end <= segment.count, header.sequence > 0, isPlausible(header),
            checksum(UnsafeRawBufferPointer(rebasing: segment[offset..<end])) == header.checksum
        else { return nil }
        return header
    }
}

func roundUp(_ count: Int, to unit: Int) -> Int {
    (count + unit - 1) / unit * unit
}
