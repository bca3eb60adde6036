import SynodBytes
import SynodPaxos
import SynodStorage

/// Reads a consistent picture of the state to one replica, chunk by chunk, while the state goes
/// on changing. Several chunks are on their way at a time, so that a long link is made use of.
struct SnapshotSender<View: StoreView> {
    let transfer: UInt64
    private let view: View
    private let through: Slot
    /// Bytes of pairs in a chunk; one pair may be larger by itself.
    private let chunkBytes: Int
    private var checksum = CRC32C()
    /// Sent and perhaps lost, in order: what is asked for again is among these.
    private var unconfirmed: [SnapshotChunk] = []
    /// Number of the chunk that is read next, and where it starts; nil behind the last one.
    private var nextIndex: UInt64 = 0
    private var nextKey: Bytes? = []
    private var lastAsked: UInt64?
    /// Nobody has asked since.
    private(set) var askedAt: Instant

    init(transfer: UInt64, view: View, through: Slot, chunkBytes: Int, now: Instant) {
        self.transfer = transfer
        self.view = view
        self.through = through
        self.chunkBytes = chunkBytes
        askedAt = now
    }

    /// What to send to a receiver that lacks chunk `index` and everything behind it: as many chunks
    /// as may be on their way, and that one again if it is asked for again. Nothing if the request is an
    /// old one, or makes no sense.
    mutating func chunks(
        from index: UInt64, now: Instant
    ) throws(StorageError) -> [SnapshotChunk] {
        let first = nextIndex - UInt64(unconfirmed.count)
        guard index >= first, index <= nextIndex else { return [] }
        askedAt = now
        unconfirmed.removeFirst(Int(index - first))
        var chunks = index == lastAsked ? Array(unconfirmed.prefix(1)) : []
        lastAsked = index
        while unconfirmed.count < NodeLimits.chunksInFlight, let key = nextKey {
            let chunk = try read(from: key)
            unconfirmed.append(chunk)
            chunks.append(chunk)
        }
        return chunks
    }

    private mutating func read(from first: Bytes) throws(StorageError) -> SnapshotChunk {
        var writer = ByteWriter(capacity: chunkBytes + (64 << 10))
        nextKey = nil
        try view.scan(from: first, to: nil) { key, value in
            if writer.count > 0, writer.count + key.count + value.count > chunkBytes {
                nextKey = Bytes(key)
                return false
            }
            writer.writePrefixed(key)
            writer.writePrefixed(value)
            return true
        }
        checksum.update(writer.bytes)
        defer { nextIndex += 1 }
        return SnapshotChunk(
            transfer: transfer, index: nextIndex, through: through, isLast: nextKey == nil,
            checksum: checksum.value, pairs: writer.bytes)
    }
}
