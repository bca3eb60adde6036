import SynodBytes
import SynodStorage

/// Reads the segments of a ``Journal`` that was opened, in order, and finds where its records end.
///
/// They end before the first place where no record continues them. That is either where the last
/// process stopped, perhaps in the middle of a write that it never acknowledged, or damage. It is
/// damage, and the journal is not opened, if
///
/// - a record behind that place was written when the missing one was known to be durable, or
/// - the mark says that the missing one was durable.
///
/// That a record behind it is whole says nothing in itself: of what was not synced, a power cut may
/// leave any part, the second of two records without the first.
struct JournalRecovery {
    /// Where the next record goes; nil if there is no segment yet.
    struct Head {
        let number: UInt64
        let file: SegmentFile
        var offset = 0
    }

    private let directory: String
    private let salt: UInt64
    private(set) var contents = JournalContents()
    private(set) var head: Head?
    /// Of the last record; 0 if there is none.
    private(set) var sequence: UInt64 = 0
    /// Of the last record.
    private(set) var checksum: UInt32 = 0

    init(
        of segments: [(number: UInt64, file: SegmentFile)], in folder: String,
        _ mark: JournalMark.Content
    )
        throws(StorageError)
    {
        directory = folder
        salt = mark.salt
        for (number, file) in segments { try read(number, file) }
        try LogExtent(lastRecord: sequence, durableThrough: mark.durableThrough)
            .refuseLoss(in: directory)
    }

    private mutating func read(_ number: UInt64, _ file: SegmentFile) throws(StorageError) {
        let memory = UnsafeMutableRawBufferPointer.allocate(
            byteCount: file.size, alignment: JournalLimits.page)
        defer { memory.deallocate() }
        let filled = try file.file.read(into: memory, at: 0)
        let bytes = UnsafeRawBufferPointer(rebasing: memory[..<filled])
        let seal = RecordSeal(salt: salt, segment: number)
        let end = try replay(bytes, of: number, file, seal)
        if let witness = witness(in: bytes, from: end, seal) {
            throw StorageError(
                .corrupt,
                """
                The log in \(directory) is damaged: record \(sequence + 1) is missing, and record \
                \(witness.sequence) in segment \(number) shows that it was there. \
                \(Advice.replaceMember)
                """)
        }
    }

    /// Applies the records that continue those before, and returns where they end.
    private mutating func replay(
        _ bytes: UnsafeRawBufferPointer, of number: UInt64, _ file: SegmentFile, _ seal: RecordSeal
    ) throws(StorageError) -> Int {
        var offset = 0
        while let header = seal.header(in: bytes, at: offset), continues(header) {
            let start = offset + RecordHeader.size
            let batch = UnsafeRawBufferPointer(rebasing: bytes[start..<start + Int(header.count)])
            guard WriteBatch.isWellFormed(batch) else {
                throw StorageError(
                    .corrupt,
                    """
                    Record \(header.sequence) of the log in \(directory) is none of ours. \
                    \(Advice.replaceMember)
                    """)
            }
            if offset == 0 { contents.add(number, file) }
            contents.apply(batch, at: start)
            offset += header.extent
            sequence = header.sequence
            checksum = header.checksum
            head = Head(number: number, file: file, offset: offset)
        }
        if head == nil {
            contents.add(number, file)
            head = Head(number: number, file: file)
        }
        return offset
    }

    /// Whether a record continues those before it. The very first of the oldest segment may be any.
    private func continues(_ header: RecordHeader) -> Bool {
        if head == nil { return true }
        return header.sequence == sequence + 1 && header.previous == checksum
    }

    /// A record at or behind an offset which shows that the one missing there was durable.
    private func witness(
        in bytes: UnsafeRawBufferPointer, from offset: Int, _ seal: RecordSeal
    ) -> RecordHeader? {
        for position in stride(from: offset, to: bytes.count, by: JournalLimits.sector) {
            let witness = seal.header(in: bytes, at: position) { header in
                header.durableThrough > sequence && header.sequence > header.durableThrough
                    && header.sequence - sequence < JournalLimits.sequences
            }
            if let witness { return witness }
        }
        return nil
    }
}
