/// The bounds of the consensus core, in one place; the inequalities between them are tested.
package enum Limits {
    /// As many as the design is tested with; a quorum of nine survives four failures.
    package static let replicas = 9

    /// Slots in flight: proposed by the leader and not yet chosen. A full window delays commands
    /// by a 64th of a round trip, for the next entry takes all that queued. It is this small
    /// because a new leader fills as many slots with no-ops.
    package static let window = 64

    /// Bytes of entries in flight; also the most that a promise has to carry, so it stays under
    /// ``messageBytes``.
    package static let windowBytes = 32 << 20

    /// An entry is closed when it has this many bytes; one command may be larger by itself.
    package static let entryBytes = 1 << 20

    /// Commands in one entry: bounds what a replica executes without looking up.
    package static let entryCommands = 4096

    /// How far above its own chosen prefix an acceptor keeps entries: the leader's window, and
    /// much for being behind the leader.
    package static let acceptAhead = 32 * window

    /// Commands that the commands of one entry may wait for, in sum; with more, they wait for all.
    package static let stampWaits = 1024

    /// Bytes of the keys of one entry that stamps tell of one by one; with more, it may touch any key.
    package static let touchedBytes = 1024

    /// Keys that the leader remembers before it looks which of them are executed.
    package static let sequencedKeys = 8192

    /// Slots that one proposer may wait for at a time.
    package static let grants: UInt64 = 8

    /// Batches of one proposer that a leader remembers to have taken slots from.
    package static let forgottenGrants = 4096

    /// Commands of this replica's clients that wait to be applied.
    package static let pendingCommands = 16_384

    /// Bytes of those commands.
    package static let pendingBytes = 64 << 20

    /// Reads of this replica's clients that wait for a majority to answer or for what they need to
    /// be executed.
    package static let pendingReads = 65_536

    /// Bytes of what those reads ask for.
    package static let pendingReadBytes = 64 << 20

    /// Bytes of commands that the leader has taken and not yet proposed.
    package static let queueBytes = 64 << 20

    /// Bytes of commands, entries or keys in one forward, retransmission, fetch or question of reads.
    package static let burstBytes = 1 << 20

    /// One command, with its header: etcd's largest configurable request and some room.
    package static let commandBytes = 16 << 20

    /// One message between peers: a promise with a full window of entries.
    package static let messageBytes = 64 << 20

    /// Slots and rounds from the wire must be at most this, so that counting on from them cannot
    /// overflow: 2^56 is 2000 years at a million a second.
    package static let highestSlot: UInt64 = 1 << 56

    /// Revisions from the wire must be at most this, for the same reason.
    package static let highestRevision: UInt64 = 1 << 60
}

extension Collection {
    /// The first elements, as many as fit a burst together, and one at least: that fits a message by itself.
    func burst(_ byteCount: (Element) -> Int) -> SubSequence {
        var bytes = 0
        var end = startIndex
        while end != endIndex {
            bytes += byteCount(self[end])
            if end != startIndex && bytes > Limits.burstBytes { break }
            end = index(after: end)
        }
        return self[..<end]
    }
}
