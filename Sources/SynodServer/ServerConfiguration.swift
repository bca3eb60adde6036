package import Logging
import SynodBytes
package import SynodPaxos

/// Everything a replica is told at start, already checked: see ``init(flags:)``.
package struct ServerConfiguration: Sendable, Equatable {
    /// One replica of the cluster as `--initial-cluster` names it.
    package struct Member: Sendable, Equatable {
        package let name: String
        /// Where its peers reach it; sorted and not empty.
        package let peerURLs: [URL]
        /// The same on every replica: a hash of the peer URLs and the cluster token, never zero.
        package let id: UInt64

        package init(name: String, peerURLs: [URL], token: String) {
            self.name = name
            self.peerURLs = peerURLs.sorted()
            let text = self.peerURLs.map(\.description).joined(separator: ",") + "\n" + token
            id = ServerConfiguration.nonzero(stableHash(text.utf8))
        }
    }

    package enum ClusterState: String, Sendable, CaseIterable {
        /// The members of `--initial-cluster` start together for the first time.
        case new
        /// The cluster runs already.
        case existing
    }

    package enum LogFormat: String, Sendable, CaseIterable {
        case text, json
    }

    /// What the core carries in a command, less what may surround a request in it.
    static let largestRequestBytes = Int64(Limits.commandBytes - (1 << 20))

    package let name: String
    package let dataDirectory: String
    package let listenClientURLs: [URL]
    package let advertiseClientURLs: [URL]
    package let listenPeerURLs: [URL]
    package let initialAdvertisePeerURLs: [URL]
    /// Empty: metrics are not served.
    package let listenMetricsURLs: [URL]
    /// One to nine members, in the order of their ids; this replica is one of them.
    package let initialCluster: [Member]
    package let initialClusterToken: String
    package let initialClusterState: ClusterState
    /// At least 1.
    package let heartbeatMilliseconds: Int
    /// At least five heartbeats and at most 50 s.
    package let electionMilliseconds: Int
    /// Entries applied between two snapshots of the state; at least 1.
    package let snapshotCount: Int
    /// Stored bytes from which writes are refused; nil: no bound.
    package let quotaBytes: Int64?
    /// Size of the largest request, in bytes; at least 1.
    package let maxRequestBytes: Int
    /// Operations in one transaction; at least 1.
    package let maxTxnOps: Int
    /// Who proposes what clients of this member write.
    package let proposers: ProposerPolicy
    package let logLevel: Logger.Level
    package let logFormat: LogFormat

    /// This replica.
    package var member: Member {
        guard let member = initialCluster.first(where: { $0.name == name }) else {
            preconditionFailure("A checked configuration names its own replica.")
        }
        return member
    }

    /// The same on every replica of the cluster: a hash of the members and the token, never zero.
    package var clusterID: UInt64 {
        var writer = ByteWriter()
        for member in initialCluster { writer.write(member.id) }
        writer.writeRaw(Array(initialClusterToken.utf8))
        return Self.nonzero(stableHash(writer.bytes))
    }

    private static func nonzero(_ hash: UInt64) -> UInt64 { hash == 0 ? 1 : hash }
}

/// Why a configuration is impossible, as one sentence for the person who typed it.
package struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
