import Synchronization
import SynodStorage

/// Adds records to a ``Journal`` and frees its space. One thread at a time has it.
///
/// What must be durable before what, when a batch is written:
///
/// 1. If the segment in use has no room: it is synced; then the next one has its name, durably;
///    then the mark says, durably, that it is there.
/// 2. The record is written into the segment.
/// 3. The segment is synced.
/// 4. The mark says how far the records are durable. It is not synced.
/// 5. Reads see the batch. The write is acknowledged.
///
/// And when, all records being durable, the oldest segments hold nothing live:
///
/// 1. The mark says, durably, that they are not needed.
/// 2. They are renamed to spare files, or removed if a view or a read still uses them.
///
/// Segments are freed oldest first, and only when the records that made their contents dead are
/// durable: so a deletion never vanishes before what it deletes, and a value never before its
/// replacement.
struct JournalWriter: ~Copyable {
    private let contents: SharedContents
    private var folder: SegmentFolder
    private var mark: JournalMark
    private var buffer = RecordBuffer()
    /// Where the next record goes; nil until there is a segment.
    private var head: JournalRecovery.Head?
    private var seal: RecordSeal
    /// Drawn at this opening.
    private let life: UInt32
    /// Of the last record written; 0 if there is none.
    private var sequence: UInt64
    /// Of the last record written.
    private var checksum: UInt32
    /// Of the last record known to be durable.
    private var durableThrough: UInt64

    init(
        folder: consuming SegmentFolder, mark: consuming JournalMark, recovered: JournalRecovery,
        contents: SharedContents
    ) {
        head = recovered.head
        sequence = recovered.sequence
        checksum = recovered.checksum
        durableThrough = 0
        life = .random(in: 0 ... .max)
        seal = RecordSeal(salt: mark.content.salt, segment: recovered.head?.number ?? 0)
        self.contents = contents
        self.folder = folder
        self.mark = mark
    }

    /// Makes durable what the recovery found, which may until now have been in the kernel's memory
    /// only, and lets go of the segments in which it found nothing. Comes before all writes.
    mutating func takeOver(unneeded: [(number: UInt64, file: SegmentFile)])
        throws(StorageError)
    {
        try head?.file.file.sync()
        try FileSystem.syncDirectory(folder.path)
        durableThrough = sequence
        try mark.settle(
            durableThrough: sequence, oldest: mark.content.oldest,
            newest: head?.number ?? mark.content.oldest - 1)
        for (number, file) in unneeded { try folder.retire(number, file, isUnused: true) }
    }

    mutating func write(_ batch: WriteBatch, durability: Durability) throws(StorageError) {
        if !batch.isEmpty {
            let offset = try append(batch)
            if durability == .synced { try sync() }
            contents.apply(buffer.batch, at: offset)
        } else if durability == .synced {
            try sync()
        }
        if durability == .synced { try reclaim() }
        buffer.shrink()
    }

    mutating func flush() throws(StorageError) {
        try sync()
        try reclaim()
    }

    /// Writes a record, and returns where in the newest segment its batch begins.
    private mutating func append(_ batch: WriteBatch) throws(StorageError) -> Int {
        let extent = buffer.fill(with: batch)
        var head = try room(for: extent)
        let header = buffer.seal(
            RecordHeader(
                count: UInt32(buffer.batch.count), sequence: sequence + 1,
                durableThrough: durableThrough, previous: checksum, life: life),
            with: seal, at: head.offset, capacity: head.file.size)
        try head.file.file.write(buffer.sealed, at: head.offset)
        let start = head.offset + RecordHeader.size
        head.offset += extent
        sequence = header.sequence
        checksum = header.checksum
        self.head = head
        if JournalLimits.makesSpare(at: head.offset, of: head.file.size) {
            folder.prepareSpare()
        }
        return start
    }

    /// The head, after beginning another segment if there is not so much room in this one.
    private mutating func room(for extent: Int) throws(StorageError) -> JournalRecovery.Head {
        if let head, head.file.size - head.offset >= extent { return head }
        try sync()
        let number = mark.content.newest + 1
        let file = try folder.begin(number, for: extent)
        try mark.settle(
            durableThrough: durableThrough, oldest: mark.content.oldest, newest: number)
        contents.add(number, file)
        seal = RecordSeal(salt: mark.content.salt, segment: number)
        return JournalRecovery.Head(number: number, file: file)
    }

    private mutating func sync() throws(StorageError) {
        guard durableThrough < sequence, let head else { return }
        try head.file.file.syncContent()
        durableThrough = sequence
        try mark.record(durableThrough: sequence)
    }

    /// Frees the oldest segments that hold nothing live, and empties the next one if that is worth
    /// it; what was moved becomes durable with the next sync, and the segment is freed after it.
    private mutating func reclaim() throws(StorageError) {
        guard durableThrough == sequence else { return }
        let empty = contents.emptyCount
        if empty > 0 {
            try mark.settle(
                durableThrough: durableThrough, oldest: mark.content.oldest + UInt64(empty),
                newest: mark.content.newest)
            for released in contents.release(empty) {
                try folder.retire(released.number, released.file, isUnused: released.isUnused)
            }
        }
        let moved = try contents.batchToMove(
            segmentSize: folder.segmentSize, minimum: buffer.batch.count)
        guard let moved else { return }
        let offset = try append(moved)
        contents.apply(buffer.batch, at: offset)
    }
}
