package import SynodPaxos

/// What a node has to know beside its stores.
package struct NodeConfiguration: Sendable {
    package let identity: ReplicaID
    package let cluster: UInt64
    package let membership: Membership
    package let timing: Timing
    /// Where this replica wants its clients to reach it.
    package let clientURLs: [String]
    /// Made with the data directory.
    package let incarnation: UInt64
    /// Random, drawn by the shell at this start.
    package let session: UInt64
    /// Slots between two flushes of the state; the log keeps between one and two times as many.
    package let snapshotCount: UInt64
    /// Bytes that the keyspace may take; nil: any.
    package let quotaBytes: UInt64?
    /// Bytes of a state in one message to a replica that is behind.
    package let chunkBytes: Int
    /// Who proposes what clients of this replica write.
    package let proposers: ProposerPolicy
    /// Whether a leader lets commands overtake those on other keys; else they are executed in the
    /// order of slots, to compare. Which of the two is of no account to correctness.
    package let executesByKey: Bool

    package init(
        identity: ReplicaID, cluster: UInt64, membership: Membership, timing: Timing,
        clientURLs: [String], incarnation: UInt64, session: UInt64, snapshotCount: UInt64,
        quotaBytes: UInt64?, chunkBytes: Int = NodeLimits.chunkBytes,
        proposers: ProposerPolicy = .automatic, executesByKey: Bool = true
    ) {
        self.identity = identity
        self.cluster = cluster
        self.membership = membership
        self.timing = timing
        self.clientURLs = clientURLs
        self.incarnation = incarnation
        self.session = session
        self.snapshotCount = snapshotCount
        self.quotaBytes = quotaBytes
        self.chunkBytes = chunkBytes
        self.proposers = proposers
        self.executesByKey = executesByKey
    }

    /// After this a client is told that its request timed out, as etcd does: five seconds and
    /// two election timeouts.
    var requestTimeout: Interval {
        Interval(nanoseconds: 5_000_000_000 + 2 * timing.election.nanoseconds)
    }
}

/// The bounds of a node.
package enum NodeLimits {
    /// Reads of this replica's clients that wait for their turn.
    package static let pendingReads = 65_536
    /// Bytes of those reads' requests.
    package static let pendingReadBytes = 128 << 20
    /// Bytes of answers after which one step runs no more reads: the next does.
    package static let readBudget = 1 << 20
    /// How long what a peer has acknowledged may stay unwritten while nothing else is written.
    package static let witnessPatience = Interval.milliseconds(1_000)
    /// Bytes of log that wait for the disk; beyond it entries from peers count as lost.
    package static let unwrittenBytes = 128 << 20
    /// Bytes of log after which the state is flushed even if the slots are few.
    package static let flushBytes = 64 << 20
    /// Keys that one step of a compaction looks at.
    package static let compactionBudget = 500
    /// How old the known size of the state store may be.
    package static let measureInterval = Interval.milliseconds(100)
    /// Bytes of a state in one message, unless the shell wants it otherwise.
    package static let chunkBytes = 512 << 10
    /// Such messages that may be on their way to one replica: the sender keeps them in case they
    /// get lost.
    package static let chunksInFlight = 4
    /// A snapshot is no longer kept for a receiver that has asked for nothing for this long.
    package static let snapshotIdle = Interval.milliseconds(30_000)
}
