import SynodKeyspace
import SynodNode
import SynodTransport

/// What etcd has a name for and this server knows. Names, kinds and labels are etcd's, so that
/// dashboards and alerts made for it work; what is not known here is left out.
extension MetricsSnapshot {
    func etcdFamilies(of identity: MetricsIdentity) -> [MetricFamily] {
        serverFamilies(identity) + keyspaceFamilies + alarmFamilies + peerFamilies
    }

    private func serverFamilies(_ identity: MetricsIdentity) -> [MetricFamily] {
        [
            MetricFamily(
                "etcd_server_has_leader", .gauge, "1 if this member knows a leader, else 0.",
                MetricValue(status.leader != 0)),
            MetricFamily(
                "etcd_server_is_leader", .gauge, "1 if this member is the leader, else 0.",
                MetricValue(status.leader == identity.member)),
            MetricFamily(
                "etcd_server_leader_changes_seen_total", .counter,
                "Leaders that this member has followed or been, the first one included.",
                MetricValue(leadersSeen)),
            MetricFamily(
                "etcd_server_id", .gauge, "The id of this member in hexadecimal, as a label.",
                samples: [.fact("server_id", hex(identity.member))]),
            MetricFamily(
                "etcd_server_version", .gauge,
                "The version of etcd whose interface is served, as a label.",
                samples: [.fact("server_version", identity.version)]),
            MetricFamily(
                "etcd_server_proposals_committed_total", .gauge,
                "The slot through which this member knows everything to be chosen.",
                MetricValue(status.chosenThrough)),
            MetricFamily(
                "etcd_server_proposals_applied_total", .gauge,
                "The slot through which this member has executed everything.",
                MetricValue(status.appliedThrough)),
            MetricFamily(
                "etcd_server_proposals_pending", .gauge,
                "Writes of this member's clients that have not been executed yet.",
                MetricValue(status.waitingWrites)),
            MetricFamily(
                "etcd_server_quota_backend_bytes", .gauge,
                "Stored bytes from which writes are refused; absent without a quota.",
                status.quotaBytes == 0 ? nil : MetricValue(status.quotaBytes)),
        ]
    }

    private var keyspaceFamilies: [MetricFamily] {
        [
            MetricFamily(
                "etcd_mvcc_db_total_size_in_bytes", .gauge,
                "Bytes that the state takes up on disk, roughly.", MetricValue(status.storedBytes)),
            MetricFamily(
                "etcd_mvcc_db_total_size_in_use_in_bytes", .gauge,
                "Bytes of all revisions that have not been compacted, keys included.",
                MetricValue(status.usedBytes)),
            MetricFamily(
                "etcd_debugging_mvcc_keys_total", .gauge, "Keys that are not deleted.",
                MetricValue(status.keyCount)),
            MetricFamily(
                "etcd_debugging_mvcc_current_revision", .gauge, "The revision of the last change.",
                MetricValue(status.revision)),
            MetricFamily(
                "etcd_debugging_mvcc_compact_revision", .gauge,
                "The oldest readable revision; -1 before any compaction.",
                MetricValue(status.compactRevision)),
        ]
    }

    private var alarmFamilies: [MetricFamily] {
        [
            MetricFamily(
                "etcd_debugging_server_alarms", .gauge,
                "1 for each alarm in force, of whichever member; absent without any.",
                samples: status.alarms.map { alarm in
                    MetricFamily.Sample(
                        labels: [
                            .init(name: "alarm_type", value: alarm.kind.text),
                            .init(name: "server_id", value: hex(alarm.memberID)),
                        ], value: MetricValue(1))
                })
        ]
    }

    private var peerFamilies: [MetricFamily] {
        [
            MetricFamily(
                "etcd_network_peer_sent_bytes_total", .counter,
                "Bytes of messages sent to a peer, without framing.",
                samples: samples("To", \.sentBytes)),
            MetricFamily(
                "etcd_network_peer_received_bytes_total", .counter,
                "Bytes of messages received from a peer, without framing.",
                samples: samples("From", \.receivedBytes)),
            MetricFamily(
                "etcd_network_peer_sent_failures_total", .counter,
                "Messages to a peer that found no connection or no room, or were lost with one.",
                samples: samples("To", \.droppedMessages)),
        ]
    }

    private func samples(
        _ label: String, _ count: (PeerStatistics) -> UInt64
    ) -> [MetricFamily.Sample] {
        peers.sorted { $0.key < $1.key }.map { peer, statistics in
            MetricFamily.Sample(
                labels: [.init(name: label, value: "\(peer)")],
                value: MetricValue(count(statistics)))
        }
    }

    private func hex(_ number: UInt64) -> String { String(number, radix: 16) }
}

extension MetricFamily.Sample {
    /// A text, which only a label can hold; the value is 1.
    fileprivate static func fact(_ label: String, _ text: String) -> Self {
        Self(labels: [.init(name: label, value: text)], value: MetricValue(1))
    }
}
