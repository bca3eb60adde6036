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
    private let transfer: UInt64
    private var through = Slot.zero
    private var nextChunk: UInt64 = 0
    private var checksum = CRC32C()
    private var askedAt: Instant
    /// How long to wait for a chunk: over a slow link, every repetition makes another copy of it.
    private var patience = Self.shortestPatience
    /// When the chunk is asked for again.
    var repeatAt: Instant { askedAt + patience }
    /// Given up when the next part has not come until then.
    private(set) var deadline: Instant

    private static var shortestPatience: Interval { .milliseconds(500) }
    private static var limit: Interval { .milliseconds(10_000) }

    init(
        from peer: ReplicaID, transfer: UInt64, into store: State, number: UInt64, now: Instant
    ) {
        self.peer = peer
        self.transfer = transfer
        self.store = store
        self.number = number
        askedAt = now
        deadline = now + Self.limit
    }

    var request: NodeMessage { .snapshotRequest(transfer: transfer, chunk: nextChunk) }

    mutating func repeated(_ now: Instant) {
        askedAt = now
        patience = patience * 2
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
        guard chunk.transfer == transfer else { return .ignored }
        if nextChunk == 0 { through = chunk.through }
        guard chunk.index == nextChunk, chunk.through == through else { return .ignored }
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
        // Not for a part that comes again: copies of the last one may come for long after its
        // sender has gone.
        deadline = now + Self.limit
        patience = max(Self.shortestPatience, now.since(askedAt) * 2)
        askedAt = now
        guard chunk.isLast else { return .more }
        try store.flush()
        return .complete(through: through)
    }
}
