// From waiting commands to slots of this replica's own.
extension Replica {
    /// Whether the leader is heard and hears this replica, not through others.
    var reachesLeader: Bool { election.isHearing && !election.isUnheard }

    /// Proposes what waits here in slots granted by the leader, or sends it there, as the governor
    /// decides.
    mutating func proposeOrForward(_ now: Instant, _ outbox: inout Outbox) {
        while let granted = proposer.nextGranted() {
            // One that waited here too long has been abandoned.
            if granted.slot > learner.chosenThrough {
                propose(granted, now, &outbox)
            } else {
                forwarder.returned(granted.batch)
                missedSlot(now)
            }
        }
        let waiting = forwarder.unsent
        let wasProposing = governor.isProposing
        let proposes =
            governor.proposes(
                waiting.count, bytes: waiting.bytes,
                leaderBacklog: election.progress?.backlog ?? 0, now) && reachesLeader
            // A command larger than an entry goes by the leader, who knows what is in flight.
            && waiting.firstBytes <= Limits.entryBytes
        if governor.isProposing != wasProposing { counters.switches += 1 }
        guard proposes else {
            if waiting.count > 0 { counters.batchesForwarded += 1 }
            return forwarder.forward(
                now, via: election.nextHop, retransmission: timing.retransmission, &outbox)
        }
        guard waiting.count > 0, proposer.slotsInUse < governor.slots,
            // Larger entries instead of more of them, as the leader does it.
            waiting.bytes * 2 >= proposer.bytesInFlight
                || waiting.bytes >= proposer.batchBytes / 2,
            proposer.hasRoom(for: waiting.bytes), proposer.isAskedOut
        else { return }
        proposer.ask(
            for: forwarder.take(for: proposer.nextNumber, bytes: proposer.batchBytes),
            boot: forwarder.boot, now, retransmission: timing.retransmission, &outbox)
    }

    private mutating func propose(
        _ granted: Proposer.Granted, _ now: Instant, _ outbox: inout Outbox
    ) {
        let entry = Entry(granted.commands, stamp: granted.stamp)
        counters.entriesProposed += 1
        proposer.propose(entry, in: granted, now, retransmission: timing.retransmission, &outbox)
        asked(toAccept: entry, in: granted.slot, election.leaderBallot, now, &outbox)
    }

    /// A slot was decided before this replica could use it: others have waited for it in vain, and
    /// what is asked of the leader now would be late as well.
    mutating func missedSlot(_ now: Instant) {
        counters.slotsLost += 1
        governor.failed(now)
        withdrawRequests()
    }

    /// What was asked of the leader goes another way.
    mutating func withdrawRequests() {
        for batch in proposer.withdraw() { forwarder.returned(batch) }
    }

    /// A proposer asks for slots of this leader's ballot.
    mutating func requested(
        _ batches: [BatchOutline], at ballot: Ballot, boot: UInt64, by index: Int,
        _ outbox: inout Outbox
    ) {
        guard case .leading(var leader) = role, leader.ballot == ballot else { return }
        role = .following  // The only copy, so that it is changed and not copied.
        leader.requested(batches, boot: boot, by: index, &acceptor, &outbox)
        role = .leading(leader)
    }

    /// A proposer speaks to whom the leader of `ballot` has granted a slot. False if it has not, as
    /// far as this replica must know, and, with a nack, if that ballot is stale.
    mutating func obeys(
        _ ballot: Ballot, in slot: Slot, of index: Int, _ now: Instant, _ outbox: inout Outbox
    ) -> Bool {
        guard ballot.attempt == 0 else { return false }
        if ballot.replica == id {
            guard case .leading(let leader) = role, leader.ballot == ballot else { return false }
            return leader.isGranted(slot, to: index)
        }
        guard ballot >= acceptor.promised, ballot >= election.leaderBallot else {
            outbox.send(
                .nack(promised: max(acceptor.promised, election.leaderBallot)),
                to: .replica(membership.replicas[index]))
            return false
        }
        refused(ballot, now, &outbox)
        return true
    }

    /// Gives up on slots whose proposers do not use them.
    mutating func abandonSlots(
        of index: Int? = nil, _ now: Instant, _ outbox: inout Outbox
    ) {
        guard case .leading(var leader) = role else { return }
        if leader.unfilled == 0 && index == nil { return }
        role = .following  // The only copy, so that it is changed and not copied.
        if let index {
            leader.abandonAll(of: index, &acceptor, &outbox)
        } else {
            leader.abandonOverdue(patience: timing.suspicion, &acceptor, now, &outbox)
        }
        role = .leading(leader)
    }

    /// Slots were decided, some of them perhaps this replica's own.
    mutating func noteDecided(_ learned: [Learned], _ now: Instant) {
        for item in learned {
            switch proposer.learned(item.slot, item.entry, response: timing.response, now) {
            case nil: break
            case .asProposed(let isLate):
                let (delayed, count) = item.entry.conflicts
                counters.commandsDelayed += UInt64(delayed)
                if delayed * 2 > count {
                    governor.conflicted(now)
                } else {
                    governor.succeeded(isLate: isLate, now)
                }
            case .otherwise(let batch):
                counters.slotsLost += 1
                forwarder.returned(batch)
                governor.failed(now)
            }
        }
    }
}
