import SynodBytes
import SynodStorage

/// The records of the commands applied since the last commit, in the order of the changes: not in
/// the store yet, readable all the same.
struct PendingRecords {
    private struct Item {
        let mark: Mark
        let start: Int
        let end: Int
    }

    private var writer = ByteWriter()
    private var items: [Item] = []

    /// Appends the record of a change that comes after all others here. Returns its mark.
    mutating func append(_ record: Record, main: Int64, sub: UInt32, isTombstone: Bool) -> Mark {
        let start = writer.count
        record.encode(into: &writer)
        let keyBytes =
            isTombstone ? RecordLayout.tombstoneKeyBytes : RecordLayout.putKeyBytes
        let mark = Mark(
            main: main, sub: sub, isTombstone: isTombstone,
            byteCount: keyBytes + writer.count - start)
        items.append(Item(mark: mark, start: start, end: writer.count))
        return mark
    }

    /// The record appended last.
    var last: ArraySlice<UInt8> {
        guard let item = items.last else { return [] }
        return writer.bytes[item.start..<item.end]
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
        return writer.bytes[items[low].start..<items[low].end]
    }

    func forEach(_ body: (Mark, ArraySlice<UInt8>) -> Void) {
        for item in items { body(item.mark, writer.bytes[item.start..<item.end]) }
    }

    func add(to batch: inout WriteBatch) {
        forEach { mark, record in batch.put(RecordLayout.key(of: mark), record) }
    }

    /// The buffers are kept for the next batch unless one batch made them large.
    mutating func removeAll() {
        let isLarge = writer.count > 4 << 20 || items.count > 65_536
        writer.removeAll(keepingCapacity: !isLarge)
        items.removeAll(keepingCapacity: !isLarge)
    }
}
