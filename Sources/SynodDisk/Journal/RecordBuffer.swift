import SynodBytes
import SynodStorage

/// Where a record is built, so that it goes to the file with one call; used again and again.
struct RecordBuffer: ~Copyable {
    private var memory: UnsafeMutableRawBufferPointer
    /// The bytes in use: the record and the zeros behind it.
    private var count = 0
    private var batchCount = 0

    init() {
        memory = .allocate(
            byteCount: JournalLimits.page, alignment: JournalLimits.page)
    }

    deinit { memory.deallocate() }

    /// Puts a batch into the buffer, behind room for its header, and returns the bytes that its
    /// record takes of a segment.
    mutating func fill(with batch: WriteBatch) -> Int {
        batch.withEncoded { encoded in
            batchCount = encoded.count
            let end = RecordHeader.size + encoded.count
            reserve(roundUp(end, to: JournalLimits.page))
            UnsafeMutableRawBufferPointer(rebasing: memory[RecordHeader.size..<end])
                .copyMemory(from: encoded)
        }
        return roundUp(RecordHeader.size + batchCount, to: JournalLimits.sector)
    }

    /// Completes the record for its place, and returns its checksum.
    ///
    /// - Parameters:
    ///   - offset: Where in the segment it begins.
    ///   - capacity: Where the segment ends.
    mutating func seal(
        _ header: RecordHeader, with seal: RecordSeal, at offset: Int, capacity: Int
    ) -> RecordHeader {
        let end = RecordHeader.size + batchCount
        var header = header
        header.store(into: memory)
        header.checksum = seal.checksum(UnsafeRawBufferPointer(rebasing: memory[..<end]))
        header.store(into: memory)
        count = min(roundUp(offset + end, to: JournalLimits.page), capacity) - offset
        reserve(count)
        UnsafeMutableRawBufferPointer(rebasing: memory[end..<count])
            .initializeMemory(as: UInt8.self, repeating: 0)
        return header
    }

    /// What goes to the file: the record, and zeros up to the end of its last page.
    var sealed: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: memory[..<count])
    }

    /// The batch in the record.
    var batch: UnsafeRawBufferPointer {
        let end = RecordHeader.size + batchCount
        return UnsafeRawBufferPointer(rebasing: memory[RecordHeader.size..<end])
    }

    /// Gives back the memory that an unusually large record needed.
    mutating func shrink() {
        guard memory.count > JournalLimits.keptBuffer else { return }
        memory.deallocate()
        memory = .allocate(byteCount: JournalLimits.page, alignment: JournalLimits.page)
        count = 0
        batchCount = 0
    }

    private mutating func reserve(_ needed: Int) {
        guard needed > memory.count else { return }
        let larger = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(needed, memory.count * 2), alignment: JournalLimits.page)
        larger.copyMemory(from: UnsafeRawBufferPointer(memory))
        memory.deallocate()
        memory = larger
    }
}
