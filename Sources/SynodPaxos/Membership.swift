/// The acceptors in force, in ascending order of identity; every replica sees the same order.
package struct Membership: Hashable, Sendable {
    package let replicas: [ReplicaID]

    /// - Parameter replicas: one to nine replicas, each once, in any order.
    package init(_ replicas: [ReplicaID]) {
        precondition(!replicas.isEmpty, "A membership has at least one replica.")
        precondition(replicas.count <= Limits.replicas, "A membership has at most nine replicas.")
        self.replicas = replicas.sorted()
        precondition(
            zip(self.replicas, self.replicas.dropFirst()).allSatisfy { $0 != $1 },
            "A membership names every replica once.")
    }

    package var count: Int { replicas.count }

    /// The place of a replica in the order, or nil for a stranger.
    package func index(of replica: ReplicaID) -> Int? {
        replicas.firstIndex(of: replica)
    }

    /// More than half. For an even number half is not enough: two halves need not intersect.
    package var majority: Int {
        #if SYNOD_PLANTED_BUGS
            if PlantedBug.halfIsMajority.isActive { return (replicas.count + 1) / 2 }
        #endif
        return replicas.count / 2 + 1
    }

    /// Whether the set intersects every other set for which this is true, so that no two
    /// different entries can both be accepted by such sets (*Paxos Made Simple* §2.1).
    package func isQuorum(_ set: ReplicaSet) -> Bool { set.count >= majority }
}

/// A set of replicas by their index in a ``Membership``: adding one twice changes nothing, so a
/// duplicated answer never counts double.
package struct ReplicaSet: Hashable, Sendable {
    private var bits: UInt16 = 0

    package init() {}

    package var count: Int { bits.nonzeroBitCount }

    package func contains(_ index: Int) -> Bool { bits & (1 << UInt16(index)) != 0 }

    package mutating func insert(_ index: Int) {
        precondition(index >= 0 && index < 16, "A replica's index fits the set.")
        #if SYNOD_PLANTED_BUGS
            if PlantedBug.countsTwice.isActive { if contains(index) { bits |= bits + 1 } }
        #endif
        bits |= 1 << UInt16(index)
    }
}
