import SynodBytes
import SynodPaxos
import SynodStorage

/// Collects a state from a peer in a store of its own. The present state stays in use until the
/// new one is complete and its checksum has been verified.
struct SnapshotReceiver<State: Store> {
    let peer: ReplicaID
    let store: State
    /// Number of the store, for the record of which one is in use.
    let number: UInt64
    private var transfer: UInt64 = 0
    private var through = Slot.zero
    private var nextChunk: UInt64 = 0
    private var checksum = CRC32C()
    /// When the chunk is asked for again.
    private(set) var repeatAt: Instant
    /// Given up when nothing has come until then.
    private(set) var deadline: Instant

    private static var patience: Interval { .milliseconds(500) }
    private static var limit: Interval { .milliseconds(10_000) }

    init(from peer: ReplicaID, into store: State, number: UInt64, now: Instant) {
        self.peer = peer
        self.store = store
        self.number = number
        repeatAt = now + Self.patience
        deadline = now + Self.limit
    }

    var request: NodeMessage { .snapshotRequest(transfer: transfer, chunk: nextChunk) }

    mutating func repeated(_ now: Instant) {
        repeatAt = now + Self.patience
    }

    enum OnChunk {
        case ignored
        /// The next one is to be asked for.
        case more
        case complete(through: Slot)
        /// The bytes that arrived are not those that were sent: start again.
        case damaged
    }

    mutating func received(_ chunk: SnapshotChunk, now: Instant) throws(StorageError) -> OnChunk {
        if nextChunk == 0, chunk.index == 0 {
            transfer = chunk.transfer
            through = chunk.through
        }
        guard chunk.transfer == transfer, chunk.index == nextChunk, chunk.through == through else {
            return .ignored
        }
        checksum.update(chunk.pairs)
        guard checksum.value == chunk.checksum else { return .damaged }
        var batch = WriteBatch()
        var reader = ByteReader(chunk.pairs)
        do {
            while !reader.isAtEnd {
                let key = try reader.readPrefixed()
                batch.put(key, try reader.readPrefixed())
            }
        } catch {
            return .damaged
        }
        try store.write(batch, durability: .buffered)
        nextChunk += 1
        repeatAt = now + Self.patience
        deadline = now + Self.limit
        guard chunk.isLast else { return .more }
        try store.flush()
        return .complete(through: through)
    }
}
