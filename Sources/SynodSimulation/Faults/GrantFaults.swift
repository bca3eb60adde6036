import SynodBytes
import SynodNode
import SynodPaxos

/// Faults of those who propose in slots of their own, and of those who grant them.
extension Simulation {
    /// A step wants these messages sent: somebody may fail before they have the effect.
    func failAroundGrants(_ output: NodeOutput, of host: Host) {
        for (peer, messages) in output.sends {
            guard messages.contains(where: { $0.first == MessageTag.grant }),
                let grantee = index(of: peer)
            else { continue }
            if stopsOnGrant == grantee {
                stopsOnGrant = nil
                tally.fired(.g1)
                pause(hosts[grantee], for: .seconds(3600))
            }
            stopGrantee(hosts[grantee])
            confine(host, granting: hosts[grantee])
            killLeader(host, output.sends.count)
        }
        // Nobody but a proposer who does not lead has such messages to send.
        if host.glance?.isLeading == false,
            output.sends.contains(where: { $0.messages.contains { $0.first == MessageTag.accept } })
        {
            killProposer(host, output.sends.count)
        }
    }

    func happens(_ fault: FaultID, in count: UInt64) -> Bool {
        plan.isEnabled(fault) && !nemesis.isStopped
            && nemesis.draw(fault) { $0.chance(1, in: count) }
    }

    /// G1: a proposer dies, or stops for a while, with a slot granted that it has not used. In the
    /// second case its entry comes when the slot is abandoned, or just before.
    private func stopGrantee(_ host: Host) {
        guard host.isUp, !host.isPaused, happens(.g1, in: 64) else { return }
        tally.fired(.g1)
        if nemesis.draw(.g1, { $0.chance(1, in: 2) }) {
            crash(host, restartAfter: nemesis.outage())
        } else {
            pause(host, for: nemesis.draw(.g1) { $0.interval(below: plan.timing.suspicion * 2) })
        }
    }

    /// G2: a proposer dies when none, some or all of the acceptors are sent its entry.
    private func killProposer(_ host: Host, _ effects: Int) {
        guard host.crashAfterEffects == nil, happens(.g2, in: 64) else { return }
        host.crashAfterEffects = nemesis.draw(.g2) { $0.index(effects + 2) }
        host.crashFault = .g2
    }

    /// G3: a leader dies when it has granted slots, and another one has to find out about them.
    private func killLeader(_ host: Host, _ effects: Int) {
        guard host.crashAfterEffects == nil, happens(.g3, in: 128) else { return }
        host.crashAfterEffects = nemesis.draw(.g3) { $0.index(effects + 2) }
        host.crashFault = .g3
    }
}
