import SynodNode
import SynodPaxos

/// Who proposes what clients write: what `synod status` shows in its second table.
extension MetricsSnapshot {
    func proposerFamilies(of identity: MetricsIdentity) -> [MetricFamily] {
        let (counters, leads) = (status.proposers, status.leader == identity.member)
        let mode = leads ? "leads" : counters.isProposing ? "proposes" : "forwards"
        return [
            MetricFamily(
                "synod_proposer_mode", .gauge,
                "1 for what this member does with its clients' writes: it leads, proposes them by "
                    + "itself, or forwards them to the leader; 0 for the others.",
                samples: ["leads", "proposes", "forwards"].map { name in
                    MetricFamily.Sample(
                        labels: [.init(name: "mode", value: name)], value: MetricValue(name == mode)
                    )
                }),
            MetricFamily(
                "synod_proposer_mode_switches_total", .counter,
                "Changes between proposing and forwarding.", MetricValue(counters.switches)),
            MetricFamily(
                "synod_proposer_slots_allowed", .gauge,
                "Slots of its own that this member may have under way now.",
                MetricValue(counters.slotsAllowed)),
            MetricFamily(
                "synod_proposer_entries_proposed_total", .counter,
                "Entries that this member proposed in slots granted by the leader.",
                MetricValue(counters.entriesProposed)),
            MetricFamily(
                "synod_proposer_batches_forwarded_total", .counter,
                "Batches of commands that this member forwarded to the leader.",
                MetricValue(counters.batchesForwarded)),
            MetricFamily(
                "synod_proposer_conflicts_total", .counter,
                "Commands that this member proposed and that waited for others on the same keys.",
                MetricValue(counters.commandsDelayed)),
            MetricFamily(
                "synod_proposer_slots_lost_total", .counter,
                "Slots granted to this member that came to nothing, because it or the grant was "
                    + "late.",
                MetricValue(counters.slotsLost)),
            MetricFamily(
                "synod_proposer_slots_granted_total", .counter,
                "Slots that this member, as the leader, granted to others.",
                MetricValue(counters.slotsGranted)),
            MetricFamily(
                "synod_proposer_slots_abandoned_total", .counter,
                "Granted slots that this member, as the leader, filled by itself because nothing "
                    + "came.",
                MetricValue(counters.slotsAbandoned)),
            MetricFamily(
                "synod_proposer_active", .gauge,
                "Members that proposed something in the last five seconds, the leader included; "
                    + "told by the leader alone.",
                leads ? MetricValue(counters.activeProposers) : nil),
        ]
    }
}
