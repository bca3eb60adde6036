import SynodBytes
import SynodStorage

/// The records of the commands applied since the last commit, in the order of the changes: not in
/// the store yet, readable all the same.
struct PendingRecords {
    private struct Item {
        let mark: Mark
        /// Where the key of the record in the store begins.
        let key: Int
        /// Where the key ends and the record begins.
        let record: Int
        let end: Int
    }

    /// Every record behind its key.
    private var writer = ByteWriter()
    private var items: [Item] = []

    /// Appends the record of a change that comes after all others here. Returns its mark.
    mutating func append(_ record: Record, main: Int64, sub: UInt32, isTombstone: Bool) -> Mark {
        let key = writer.count
        RecordLayout.appendKey(main: main, sub: sub, isTombstone: isTombstone, to: &writer)
        let start = writer.count
        record.encode(into: &writer)
        let mark = Mark(
            main: main, sub: sub, isTombstone: isTombstone, byteCount: writer.count - key)
        items.append(Item(mark: mark, key: key, record: start, end: writer.count))
        return mark
    }

    /// A copy of the record appended last, unless it has more bytes than `limit`.
    func last(limit: Int) -> Bytes? {
        guard let item = items.last, item.end - item.record <= limit else { return nil }
        return Bytes(writer.bytes[item.record..<item.end])
    }

    /// The record of a change that is in here.
    func find(_ mark: Mark) -> ArraySlice<UInt8>? {
        var low = 0
        var high = items.count
        while low < high {
            let middle = (low + high) / 2
            let other = items[middle].mark
            if (other.main, other.sub) < (mark.main, mark.sub) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        guard low < items.count, items[low].mark.isSameChange(as: mark) else { return nil }
        return writer.bytes[items[low].record..<items[low].end]
    }

    /// Visits the records with their keys in the store.
    func forEach(_ body: (Mark, _ key: UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Void) {
        writer.bytes.withUnsafeBytes { bytes in
            for item in items {
                body(
                    item.mark, UnsafeRawBufferPointer(rebasing: bytes[item.key..<item.record]),
                    UnsafeRawBufferPointer(rebasing: bytes[item.record..<item.end]))
            }
        }
    }

    func add(to batch: inout WriteBatch) {
        forEach { _, key, record in batch.put(key, record) }
    }

    /// The buffers are kept for the next batch unless one batch made them large.
    mutating func removeAll() {
        let isLarge = writer.count > 4 << 20 || items.count > 65_536
        writer.removeAll(keepingCapacity: !isLarge)
        items.removeAll(keepingCapacity: !isLarge)
    }
}
