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
    /// Chunks that came before the one that is missing.
    private var ahead: [SnapshotChunk] = []
    private var checksum = CRC32C()
    private var askedAt: Instant
    /// How long to wait for a chunk: over a slow link, every repetition makes another copy of it.
    private var patience = Self.shortestPatience
    private var isRepeated = false
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
        isRepeated = true
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
        guard chunk.transfer == transfer, nextChunk == 0 || chunk.through == through,
            chunk.index >= nextChunk, chunk.index - nextChunk < NodeLimits.chunksInFlight
        else { return .ignored }
        guard chunk.index == nextChunk else {
            if !ahead.contains(where: { $0.index == chunk.index }) { ahead.append(chunk) }
            return .ignored
        }
        var outcome = try append(chunk)
        while case .more = outcome, let place = ahead.firstIndex(where: { $0.index == nextChunk }) {
            outcome = try append(ahead.remove(at: place))
        }
        // Not for a part that comes again: copies of the last one may come for long after its
        // sender has gone.
        deadline = now + Self.limit
        // Which of the requests was answered, nobody knows (Karn and Partridge 1987). And those that
        // are on their way together come together, with nothing for a round trip before.
        if !isRepeated {
            let shrunk = Interval(nanoseconds: patience.nanoseconds / 4 * 3)
            patience = max(Self.shortestPatience, now.since(askedAt) * 2, shrunk)
        }
        askedAt = now
        isRepeated = false
        return outcome
    }

    private mutating func append(_ chunk: SnapshotChunk) throws(StorageError) -> OnChunk {
        if nextChunk == 0 { through = chunk.through }
        checksum.update(chunk.pairs)
        guard checksum.value == chunk.checksum, chunk.through == through else { return .damaged }
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
        guard chunk.isLast else { return .more }
        try store.flush()
        return .complete(through: through)
    }
}
