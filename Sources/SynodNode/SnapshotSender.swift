import SynodBytes
import SynodPaxos
import SynodStorage

/// Reads a consistent picture of the state to one replica, chunk by chunk, while the state goes
/// on changing.
struct SnapshotSender<View: StoreView> {
    let transfer: UInt64
    private let view: View
    private let through: Slot
    /// Bytes of pairs in a chunk; one pair may be larger by itself.
    private let chunkBytes: Int
    private var checksum = CRC32C()
    /// Sent last, kept in case it was lost.
    private var last: SnapshotChunk?
    /// Where the next chunk starts.
    private var nextKey: Bytes = []
    /// Nobody has asked since.
    private(set) var askedAt: Instant

    init(transfer: UInt64, view: View, through: Slot, chunkBytes: Int, now: Instant) {
        self.transfer = transfer
        self.view = view
        self.through = through
        self.chunkBytes = chunkBytes
        askedAt = now
    }

    /// The chunk asked for: the next one or, again, the last. Nil for any other.
    mutating func chunk(_ index: UInt64, now: Instant) throws(StorageError) -> SnapshotChunk? {
        askedAt = now
        if let last, last.index == index { return last }
        let next = last.map { $0.index + 1 } ?? 0
        guard index == next, last?.isLast != true else { return nil }
        var writer = ByteWriter(capacity: chunkBytes + (64 << 10))
        var resumeAt: Bytes?
        try view.scan(from: nextKey, to: nil) { key, value in
            if writer.count > 0, writer.count + key.count + value.count > chunkBytes {
                resumeAt = Bytes(key)
                return false
            }
            writer.writePrefixed(key)
            writer.writePrefixed(value)
            return true
        }
        checksum.update(writer.bytes)
        let chunk = SnapshotChunk(
            transfer: transfer, index: index, through: through, isLast: resumeAt == nil,
            checksum: checksum.value, pairs: writer.bytes)
        if let resumeAt { nextKey = resumeAt }
        last = chunk
        return chunk
    }
}
