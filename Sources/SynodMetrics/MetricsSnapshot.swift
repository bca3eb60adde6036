package import SynodNode
package import SynodTransport

/// What a scrape takes from the replica at one moment.
package struct MetricsSnapshot: Sendable {
    package let status: ReplicaStatus
    /// Leaders that the replica has followed or been since its start.
    package let leadersSeen: UInt64
    /// What has passed between this member and each other one.
    package let peers: [PeerID: PeerStatistics]

    package init(
        status: ReplicaStatus, leadersSeen: UInt64, peers: [PeerID: PeerStatistics]
    ) {
        self.status = status
        self.leadersSeen = leadersSeen
        self.peers = peers
    }

    /// All that is told of the replica.
    package func families(of identity: MetricsIdentity) -> [MetricFamily] {
        etcdFamilies(of: identity) + proposerFamilies(of: identity)
    }
}

/// What never changes while the process runs.
package struct MetricsIdentity: Sendable {
    /// The id of this member.
    package let member: UInt64
    /// The release of etcd whose interface is served.
    package let version: String

    package init(member: UInt64, version: String) {
        self.member = member
        self.version = version
    }
}
