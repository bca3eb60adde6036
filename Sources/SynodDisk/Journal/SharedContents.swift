import Synchronization
import SynodBytes
import SynodStorage

/// The ``JournalContents`` of now, which the disk thread changes while others read. The lock is
/// held for the index alone, never while a disk is waited for.
final class SharedContents: Sendable {
    private let state: Mutex<JournalContents>

    init(_ contents: JournalContents) {
        state = Mutex(contents)
    }

    /// A copy of this moment, which keeps the segments that it needs.
    var snapshot: JournalContents {
        state.withLock { $0 }
    }

    var liveBytes: Int {
        state.withLock { $0.liveBytes }
    }

    var emptyCount: Int {
        state.withLock { $0.emptyCount }
    }

    func get(_ key: Bytes) throws(StorageError) -> Bytes? {
        let key = JournalKey(key)
        guard let (location, file) = state.withLock({ $0.locate(key) }) else { return nil }
        return try JournalContents.read(location, in: file)
    }

    func add(_ number: UInt64, _ file: SegmentFile) {
        state.withLock { $0.add(number, file) }
    }

    func apply(_ batch: UnsafeRawBufferPointer, at offset: Int) {
        state.withLock { $0.apply(batch, at: offset) }
    }

    func release(_ count: Int) -> [JournalContents.Released] {
        state.withLock { $0.release(count) }
    }

    /// The items of the oldest segment to write again now so that it becomes empty, as a batch;
    /// nil if it is not time for that.
    func batchToMove(segmentSize: Int, minimum: Int) throws(StorageError) -> WriteBatch? {
        let items = state.withLock {
            $0.itemsToMove(segmentSize: segmentSize, minimum: minimum)
        }
        return items.isEmpty ? nil : try snapshot.batch(of: items)
    }
}
