import SynodBytes
import SynodStorage

/// The records of the changes that are not committed, in the order of the changes, whatever order
/// they came in: not in the store yet, readable all the same.
struct PendingRecords {
    private struct Item {
        let mark: Mark
        /// Where the key of the record in the store begins.
        var key: Int
        /// Where the key ends and the record begins.
        var record: Int
        var end: Int
        /// By how much the change makes the keys that are not deleted more.
        let liveChange: Int8
    }

    /// Every record behind its key, in the order they came in.
    private var writer = ByteWriter()
    /// Sorted by their marks.
    private var items: [Item] = []
    /// Where the record that came in last begins.
    private var newest = 0
    /// Bytes of the writer that belong to no item any more.
    private var unused = 0

    /// No more than this is kept for the next records.
    private static let keptBytes = 4 << 20
    private static let keptItems = 65_536

    var isEmpty: Bool { items.isEmpty }

    /// The revision of the last change.
    var lastRevision: Int64? { items.last?.mark.main }

    /// Adds the record of a change that is not here yet. Returns its mark.
    mutating func add(
        _ record: Record, main: Int64, sub: UInt32, isTombstone: Bool, liveChange: Int8
    ) -> Mark {
        let key = writer.count
        RecordLayout.appendKey(main: main, sub: sub, isTombstone: isTombstone, to: &writer)
        newest = writer.count
        record.encode(into: &writer)
        let mark = Mark(
            main: main, sub: sub, isTombstone: isTombstone, byteCount: writer.count - key)
        let item = Item(
            mark: mark, key: key, record: newest, end: writer.count, liveChange: liveChange)
        if let last = items.last?.mark, (last.main, last.sub) >= (main, sub) {
            let place = position(main: main, sub: sub)
            let next = items[place].mark
            precondition((next.main, next.sub) != (main, sub), "A change is made once.")
            items.insert(item, at: place)
        } else {
            items.append(item)
        }
        return mark
    }

    /// A copy of the record that was just added, unless it has more bytes than `limit`.
    func newest(limit: Int) -> Bytes? {
        writer.count - newest <= limit ? Bytes(writer.bytes[newest...]) : nil
    }

    /// The record of a change that is in here.
    func find(_ mark: Mark) -> ArraySlice<UInt8>? {
        let place = position(main: mark.main, sub: mark.sub)
        guard place < items.count, items[place].mark.isSameChange(as: mark) else { return nil }
        return writer.bytes[items[place].record..<items[place].end]
    }

    /// By how much the changes behind the revision make the keys of the range that are not deleted more.
    func liveChange(after revision: Int64, in range: KeyRange) -> Int {
        items[count(through: revision)...].reduce(0) { sum, item in
            guard item.liveChange != 0, range.contains(key(of: item)) else { return sum }
            return sum + Int(item.liveChange)
        }
    }

    private func key(of item: Item) -> ArraySlice<UInt8> {
        do throws(MalformedBytes) {
            return try Record(writer.bytes[item.record..<item.end]).key
        } catch {
            preconditionFailure("A pending record was encoded here: \(error.reason).")
        }
    }

    /// Where the first change is that is not before this one.
    private func position(main: Int64, sub: UInt32) -> Int {
        var low = 0
        var high = items.count
        while low < high {
            let middle = (low + high) / 2
            let other = items[middle].mark
            if (other.main, other.sub) < (main, sub) { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// How many of the changes have this revision or one before it.
    private func count(through revision: Int64) -> Int {
        guard let lastRevision, lastRevision > revision else { return items.count }
        return position(main: revision + 1, sub: 0)
    }
}

// Committing.
extension PendingRecords {
    /// The revisions behind `before` and not behind `through` that no change here has.
    func gaps(after before: Int64, through: Int64) -> [RevisionGap] {
        var gaps: [RevisionGap] = []
        var next = before + 1
        for item in items {
            let main = item.mark.main
            guard main <= through else { break }
            if main > next { gaps.append(RevisionGap(from: next, through: main - 1)) }
            next = main + 1
        }
        if next <= through { gaps.append(RevisionGap(from: next, through: through)) }
        return gaps
    }

    /// Puts the records of the changes through `revision` into the batch. Returns by how much these
    /// changes make the keys that are not deleted more.
    func write(through revision: Int64, to batch: inout WriteBatch) -> Int {
        var liveChange = 0
        writer.bytes.withUnsafeBytes { bytes in
            for item in items[..<count(through: revision)] {
                batch.put(
                    UnsafeRawBufferPointer(rebasing: bytes[item.key..<item.record]),
                    UnsafeRawBufferPointer(rebasing: bytes[item.record..<item.end]))
                liveChange += Int(item.liveChange)
            }
        }
        return liveChange
    }

    /// Forgets the changes through `revision`.
    mutating func remove(through revision: Int64) {
        let count = count(through: revision)
        guard count < items.count else { return removeAll() }
        for item in items[..<count] { unused += item.end - item.key }
        items.removeFirst(count)
        // As much is copied as was forgotten before, at most.
        if unused > writer.count / 2 { rewrite() }
    }

    private mutating func rewrite() {
        var rest = ByteWriter(capacity: writer.count - unused)
        for index in items.indices {
            let moved = rest.count - items[index].key
            rest.writeRaw(writer.bytes[items[index].key..<items[index].end])
            items[index].key += moved
            items[index].record += moved
            items[index].end += moved
        }
        writer = rest
        unused = 0
    }

    /// The buffers are kept for the next batch unless one batch made them large.
    private mutating func removeAll() {
        let isLarge = writer.count > Self.keptBytes || items.count > Self.keptItems
        writer.removeAll(keepingCapacity: !isLarge)
        items.removeAll(keepingCapacity: !isLarge)
        unused = 0
    }
}
