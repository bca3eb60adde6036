import SynodKeyspace
package import SynodPaxos
package import SynodStorage

/// What an observer may see of a node; nothing here changes it.
extension Node {
    /// How a node is at one moment.
    package struct Glance: Hashable, Sendable {
        /// Starts of this replica, this one included.
        package let boot: UInt64
        package let promised: Ballot
        /// Everything through here is executed and in the state store.
        package let appliedThrough: Slot
        /// Known to be chosen; more than is applied where the state is lost.
        package let chosenThrough: Slot
        package let revision: Int64
        /// Whether something has been executed before what comes before it.
        package let isAhead: Bool
        package let isLeading: Bool
        /// Whether what its clients wrote last was proposed here, and not sent to the leader.
        package let isProposing: Bool
        /// The leader that is followed, or this replica if it leads.
        package let leader: ReplicaID?
        /// Requests of clients that wait, which is bounded and comes to nothing when a replica is
        /// left alone.
        package let waitingWrites: Int
        package let waitingReads: Int
        /// Whether a state is on its way here.
        package let isReceiving: Bool
        /// Whether the own state is lost and no other has come yet.
        package let lacksState: Bool
    }

    package var glance: Glance {
        Glance(
            boot: boot, promised: replica.promised,
            appliedThrough: Slot(keyspace.appliedThrough), chosenThrough: replica.chosenThrough,
            revision: keyspace.revision, isAhead: keyspace.isAhead, isLeading: replica.isLeading,
            isProposing: replica.isProposing, leader: replica.leader,
            waitingWrites: writes.count, waitingReads: reads.count, isReceiving: receiver != nil,
            lacksState: replica.lacksState)
    }

    /// What the replica tells of itself to operators.
    package var status: ReplicaStatus {
        var status = ReplicaStatus()
        status.revision = keyspace.revision
        status.round = replica.round
        status.leader = replica.leader?.rawValue ?? 0
        status.chosenThrough = replica.chosenThrough.rawValue
        status.appliedThrough = keyspace.appliedThrough
        status.storedBytes = storedBytes
        status.usedBytes = keyspace.usedBytes
        status.quotaBytes = configuration.quotaBytes ?? 0
        status.compactRevision = keyspace.compactRevision
        status.keyCount = keyspace.keyCount
        status.waitingWrites = writes.count
        status.alarms = keyspace.alarms
        status.lacksState = replica.lacksState
        status.proposers = replica.proposerCounters
        return status
    }

    /// The checksum of everything that is executed.
    package func stateHash() throws(StorageError) -> UInt32 { try keyspace.hash() }
}
