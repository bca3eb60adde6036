import SynodBytes
import SynodStorage

/// What a ``Journal`` holds at one moment: which keys, and the segments with their values. A value:
/// a view is a copy, which keeps the segments' files open.
struct JournalContents: Sendable {
    struct Segment: Sendable {
        let number: UInt64
        fileprivate(set) var file: SegmentFile
        /// Bytes of the items whose values lie here.
        fileprivate(set) var liveBytes = 0
    }

    /// A segment that was let go of.
    struct Released {
        let number: UInt64
        let file: SegmentFile
        /// Whether no view or reader has the file any more.
        let isUnused: Bool
    }

    private var index = JournalIndex()
    /// With consecutive numbers.
    private(set) var segments: [Segment] = []
    /// Bytes of all items.
    private(set) var liveBytes = 0
    /// Bytes of all segments.
    private(set) var segmentBytes = 0

    mutating func add(_ number: UInt64, _ file: SegmentFile) {
        precondition(
            segments.last.map { $0.number + 1 == number } ?? true,
            "Segments are numbered without gaps.")
        segments.append(Segment(number: number, file: file))
        segmentBytes += file.size
    }

    /// Applies a batch that lies in the newest segment.
    ///
    /// - Parameter offset: Where in the segment the batch begins.
    mutating func apply(_ batch: UnsafeRawBufferPointer, at offset: Int) {
        guard let start = batch.baseAddress, let segment = segments.last?.number else { return }
        WriteBatch.forEach(in: batch) { operation in
            switch operation {
            case .put(let key, let value):
                let position = offset + (value.baseAddress.map { $0 - start } ?? 0)
                let item = JournalIndex.Item(
                    key: JournalKey(key),
                    location: ValueLocation(
                        segment: segment, offset: UInt32(position), count: UInt32(value.count),
                        checksum: CRC32C.checksum(value)))
                if let replaced = index.put(item) { account(replaced, -1) }
                account(item, 1)
            case .delete(let key):
                if let removed = index.remove(JournalKey(key)) { account(removed, -1) }
            case .deleteRange(let lower, let upper):
                let (lower, upper) = (JournalKey(lower), JournalKey(upper))
                var removed: [JournalIndex.Item] = []
                index.removeRange(from: lower, to: upper) { removed.append($0) }
                for item in removed { account(item, -1) }
            }
        }
    }

    private mutating func account(_ item: JournalIndex.Item, _ sign: Int) {
        let position = Int(item.location.segment - segments[0].number)
        segments[position].liveBytes += sign * item.size
        liveBytes += sign * item.size
    }

    /// How many of the oldest segments, the newest never among them, hold nothing live.
    var emptyCount: Int {
        segments.dropLast().prefix { $0.liveBytes == 0 }.count
    }

    /// Lets go of the oldest segments, which hold nothing live.
    mutating func release(_ count: Int) -> [Released] {
        var released: [Released] = []
        for position in 0..<count {
            precondition(
                segments[position].liveBytes == 0, "A segment goes when nothing in it is live.")
            // Asked in place: any copy of the reference, this function's own too, would count.
            let isUnused = isKnownUniquelyReferenced(&segments[position].file)
            let segment = segments[position]
            segmentBytes -= segment.file.size
            released.append(
                Released(number: segment.number, file: segment.file, isUnused: isUnused))
        }
        segments.removeFirst(count)
        return released
    }

    /// The items of the oldest segment to write again now so that it becomes empty, at least
    /// `minimum` bytes if there are so many; none if it is not time for that.
    func itemsToMove(segmentSize: Int, minimum: Int) -> [JournalIndex.Item] {
        guard segments.count > 1, let oldest = segments.first else { return [] }
        let allowance = JournalLimits.allowance(live: liveBytes, segmentSize: segmentSize)
        let remnant = JournalLimits.remnant(of: segmentSize)
        guard oldest.liveBytes <= remnant || segmentBytes > allowance else { return [] }
        return index.items(in: oldest.number, limit: max(remnant, minimum))
    }
}

/// Reading.
extension JournalContents {
    func locate(_ key: JournalKey) -> (ValueLocation, SegmentFile)? {
        guard let location = index.location(of: key) else { return nil }
        return (location, file(of: location))
    }

    func scan(
        from lower: Bytes, to upper: Bytes?,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(StorageError) {
        try index.scan(from: JournalKey(lower), to: upper.map { JournalKey($0) }) {
            item throws(StorageError) in
            let value = try Self.read(item.location, in: file(of: item.location))
            return item.key.withUnsafeBytes { key in value.withUnsafeBytes { body(key, $0) } }
        }
    }

    /// A batch that puts items again, as they are.
    func batch(of items: [JournalIndex.Item]) throws(StorageError) -> WriteBatch {
        var batch = WriteBatch()
        for item in items {
            let value = try Self.read(item.location, in: file(of: item.location))
            item.key.withUnsafeBytes { key in value.withUnsafeBytes { batch.put(key, $0) } }
        }
        return batch
    }

    private func file(of location: ValueLocation) -> SegmentFile {
        segments[Int(location.segment - segments[0].number)].file
    }

    /// Reads a value and compares it with its checksum.
    static func read(
        _ location: ValueLocation, in segment: SegmentFile
    ) throws(StorageError) -> Bytes {
        let count = Int(location.count)
        var failure: StorageError?
        let value = Bytes(unsafeUninitializedCapacity: count) { buffer, filled in
            do throws(StorageError) {
                filled = try segment.file.read(
                    into: UnsafeMutableRawBufferPointer(
                        rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]),
                    at: Int(location.offset))
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        guard value.count == count, CRC32C.checksum(value) == location.checksum else {
            throw StorageError(
                .corrupt,
                """
                The \(count) bytes at \(location.offset) of the log's segment \(location.segment) \
                have changed since they were written. \(Advice.replaceMember)
                """)
        }
        return value
    }
}
