/// The leader as the one who only hands out slots: other proposers ask for some, and propose in
/// them at the leader's ballot by themselves, so that what their clients write goes from them
/// straight to the acceptors.
///
/// A ballot still proposes one entry at most in a slot: it is granted to one proposer, who uses a
/// grant once and has forgotten it after a restart.
///
/// Whoever dies with a grant would stop all that come behind its slot. So the leader *abandons* a
/// granted slot whose entry it has not seen for long, and proposes a no-op there at attempt 1 of
/// its ballot. Phase 1 for that is a promise of the leader's own acceptor alone: of a granted slot
/// every quorum includes it, it has accepted nothing there, and once its no-op is on the disk it
/// never will at attempt 0 (quorums that intersect are enough: *Flexible Paxos*, Howard et al. 2016).
extension Leader {
    /// What a proposer has asked for.
    struct Grants: Hashable, Sendable {
        /// Names the proposer's start; what was granted to an earlier one is abandoned.
        var boot: UInt64 = 0
        /// Slots that it waits for.
        var wanted = 0
        /// The last slot that it has used.
        var usedThrough = Slot.zero
        /// When its last entry came.
        var filledAt = Instant(nanoseconds: 0)
    }

    /// A proposer asks for slots.
    mutating func requested(
        _ wanted: UInt64, above seen: Slot, boot: UInt64, by index: Int, _ acceptor: inout Acceptor,
        _ outbox: inout Outbox
    ) {
        if boot > peers[index].grants.boot {
            abandonAll(of: index, &acceptor, &outbox)
            peers[index].grants = Grants(boot: boot)
        }
        // Else it is an earlier start's, or a late copy: the proposer has seen more since.
        guard boot == peers[index].grants.boot, seen >= peers[index].grants.usedThrough else {
            return
        }
        var unseen = 0
        inFlight.forEach { slot, proposal in
            // One whose entry is here has been used, perhaps before a restart that forgot it.
            guard proposal.grantee == index, proposal.entry == nil, slot > seen else { return }
            unseen += 1
            grant(slot, to: index, &outbox)
        }
        peers[index].grants.wanted = max(0, Int(min(wanted, Limits.grants)) - unseen)
    }

    /// Grants what is asked for, in turn, as far as the window has room.
    mutating func grantWaiting(_ acceptor: Acceptor, _ now: Instant, _ outbox: inout Outbox) {
        var idle = 0
        while idle < peers.count {
            let index = nextGrantee
            nextGrantee = (nextGrantee + 1) % peers.count
            // One who is not heard, or does not hear, would let the slot lie.
            guard peers[index].grants.wanted > 0, now < peers[index].connectedUntil else {
                peers[index].grants.wanted = 0
                idle += 1
                continue
            }
            guard hasRoom(acceptor) else { return }
            idle = 0
            peers[index].grants.wanted -= 1
            inFlight[nextSlot] = Proposal(grantee: index, grantedAt: now)
            unfilled += 1
            grant(nextSlot, to: index, &outbox)
            nextSlot = nextSlot.next
        }
    }

    private func grant(_ slot: Slot, to index: Int, _ outbox: inout Outbox) {
        outbox.send(
            .grant(ballot: ballot, boot: peers[index].grants.boot, slot: slot),
            to: .replica(membership.replicas[index]))
    }

    /// Whether the slot is granted to the replica of this index and not decided.
    func isGranted(_ slot: Slot, to index: Int) -> Bool { inFlight[slot]?.grantee == index }

    /// The own acceptor has accepted what a proposer sent; it counts when the ticket is durable.
    mutating func filled(_ slot: Slot, with entry: Entry, ticket: WriteTicket, _ now: Instant) {
        guard let proposal = inFlight[slot], let grantee = proposal.grantee, proposal.entry == nil
        else { return }
        peers[grantee].grants.filledAt = now
        peers[grantee].grants.usedThrough = max(peers[grantee].grants.usedThrough, slot)
        unfilled -= 1
        inFlightBytes += entry.encoded.count
        inFlight.update(slot) {
            $0.entry = entry
            $0.ownTicket = ticket
        }
    }

    // MARK: Abandoning

    /// Since when nothing has come of a grant; nil where something has.
    private func waitingSince(_ proposal: Proposal) -> Instant? {
        guard let grantee = proposal.grantee, proposal.entry == nil else { return nil }
        return max(proposal.grantedAt, peers[grantee].grants.filledAt)
    }

    /// When a granted slot wants to be abandoned, unless its entry comes.
    func abandonAt(patience: Interval) -> Instant {
        var earliest = Instant.distantFuture
        guard unfilled > 0 else { return earliest }
        inFlight.forEach { _, proposal in
            if let since = waitingSince(proposal) { earliest = min(earliest, since + patience) }
        }
        return earliest
    }

    mutating func abandonOverdue(
        patience: Interval, _ acceptor: inout Acceptor, _ now: Instant, _ outbox: inout Outbox
    ) {
        let due = slots { waitingSince($0).map { now >= $0 + patience } ?? false }
        abandon(due, &acceptor, &outbox)
    }

    /// The proposer has gone, or has started again: it will not use what it was granted.
    mutating func abandonAll(
        of index: Int, _ acceptor: inout Acceptor, _ outbox: inout Outbox
    ) {
        peers[index].grants.wanted = 0
        abandon(slots { $0.grantee == index && $0.entry == nil }, &acceptor, &outbox)
    }

    private func slots(where isMeant: (Proposal) -> Bool) -> [Slot] {
        var slots: [Slot] = []
        inFlight.forEach { if isMeant($1) { slots.append($0) } }
        return slots
    }

    private mutating func abandon(
        _ slots: [Slot], _ acceptor: inout Acceptor, _ outbox: inout Outbox
    ) {
        for slot in slots {
            let ballot = ballot.abandoning
            guard case .accepted = acceptor.accept(ballot, slot, .noop, &outbox) else {
                preconditionFailure("A leader's own acceptor has not accepted what never came.")
            }
            unfilled -= 1
            inFlightBytes += Entry.noop.encoded.count
            inFlight[slot] = Proposal(
                entry: .noop, ownTicket: outbox.ticket, attempt: ballot.attempt)
            abandonedThrough = max(abandonedThrough, slot)
            outbox.sendWhenDurable(.accept(ballot: ballot, slot: slot, entry: .noop), to: .others)
            outbox.trace.append(.abandoned(slot))
        }
    }
}
