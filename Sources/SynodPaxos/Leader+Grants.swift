import DequeModule

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
        /// Batches that wait for slots.
        var waiting: Deque<BatchOutline> = []
        /// The highest number of its batches that was taken note of.
        var notedThrough: UInt64 = 0
        /// Batches below that which have no slot any more: they may be asked for again.
        private(set) var forgotten: Set<UInt64> = []
        /// When its last entry came.
        var filledAt = Instant(nanoseconds: 0)
        /// The last of its slots of which the entry has come.
        var filledThrough = Slot.zero
        /// How long its entries take to come; the slow ones count for longer.
        var usual = Interval.milliseconds(0)

        /// Those that are never asked for again give way some time: whoever asks does so every few
        /// heartbeats, in which far fewer slots are abandoned.
        mutating func forget(_ batch: UInt64) {
            forgotten.insert(batch)
            if forgotten.count > Limits.forgottenGrants, let oldest = forgotten.min() {
                forgotten.remove(oldest)
            }
        }

        mutating func remember(_ batch: UInt64) -> Bool { forgotten.remove(batch) != nil }
    }

    /// A proposer asks for slots.
    mutating func requested(
        _ batches: [BatchOutline], boot: UInt64, by index: Int, _ acceptor: inout Acceptor,
        _ outbox: inout Outbox
    ) {
        if boot > peers[index].grants.boot {
            abandonAll(of: index, &acceptor, &outbox)
            peers[index].grants = Grants(boot: boot)
        }
        // Else it is an earlier start's.
        guard boot == peers[index].grants.boot else { return }
        for batch in batches where peers[index].grants.waiting.count < Limits.grants {
            #if SYNOD_PLANTED_BUGS
                if PlantedBug.repeatsGrants.isActive {
                    repeatGrant(of: batch.number, to: index, &outbox)
                }
            #endif
            if batch.number > peers[index].grants.notedThrough {
                peers[index].grants.notedThrough = batch.number
                peers[index].grants.waiting.append(batch)
            } else if peers[index].grants.remember(batch.number) {
                peers[index].grants.waiting.append(batch)
            } else {
                repeatGrant(of: batch.number, to: index, &outbox)
            }
        }
    }

    /// The grant of a batch has perhaps been lost. One whose entry is here has come.
    private func repeatGrant(of batch: UInt64, to index: Int, _ outbox: inout Outbox) {
        inFlight.forEach { slot, proposal in
            guard proposal.grantee == index, proposal.entry == nil, proposal.batch == batch else {
                return
            }
            grant(slot, proposal, to: index, &outbox)
        }
    }

    /// Grants what is asked for, in turn, as far as the window has room.
    mutating func grantWaiting(_ acceptor: Acceptor, _ now: Instant, _ outbox: inout Outbox) {
        var idle = 0
        while idle < peers.count {
            let index = nextGrantee
            nextGrantee = (nextGrantee + 1) % peers.count
            // One who is not heard, or does not hear, would let the slot lie.
            if now >= peers[index].connectedUntil { forgetWaiting(of: index) }
            guard let batch = peers[index].grants.waiting.first else {
                idle += 1
                continue
            }
            guard hasRoom(acceptor) else { return }
            idle = 0
            peers[index].grants.waiting.removeFirst()
            let proposal = Proposal(
                grantee: index, batch: batch.number,
                stamp: sequencer.grant(nextSlot, for: batch.commands), grantedAt: now)
            inFlight[nextSlot] = proposal
            unfilled += 1
            counters.slotsGranted += 1
            grant(nextSlot, proposal, to: index, &outbox)
            nextSlot = nextSlot.next
        }
    }

    private func grant(
        _ slot: Slot, _ proposal: Proposal, to index: Int, _ outbox: inout Outbox
    ) {
        outbox.send(
            .grant(
                ballot: ballot, boot: peers[index].grants.boot, batch: proposal.batch, slot: slot,
                stamp: proposal.stamp), to: .replica(membership.replicas[index]))
    }

    private mutating func forgetWaiting(of index: Int) {
        for batch in peers[index].grants.waiting {
            peers[index].grants.forget(batch.number)
        }
        peers[index].grants.waiting.removeAll()
    }

    /// Whether the slot is granted to the replica of this index and not decided.
    func isGranted(_ slot: Slot, to index: Int) -> Bool { inFlight[slot]?.grantee == index }

    /// The own acceptor has accepted what a proposer sent; it counts when the ticket is durable.
    mutating func filled(_ slot: Slot, with entry: Entry, ticket: WriteTicket, _ now: Instant) {
        guard let proposal = inFlight[slot], let grantee = proposal.grantee, proposal.entry == nil
        else { return }
        peers[grantee].grants.filledAt = now
        peers[grantee].grants.filledThrough = max(peers[grantee].grants.filledThrough, slot)
        let usual = peers[grantee].grants.usual
        peers[grantee].grants.usual = max(
            now.since(proposal.grantedAt),
            Interval(nanoseconds: usual.nanoseconds - usual.nanoseconds / 8))
        unfilled -= 1
        inFlightBytes += entry.encoded.count
        inFlight.update(slot) {
            $0.entry = entry
            $0.ownTicket = ticket
            $0.knownAt = now
        }
    }

    /// Counts the replicas that have proposed something lately, this one included.
    mutating func countProposers(_ now: Instant) {
        let since = peers.map(\.grants.filledAt) + [counters.proposedAsLeaderAt]
        counters.activeProposers = since.reduce(0) { count, at in
            let isActive = at.nanoseconds > 0 && now.since(at) < Self.activity
            return isActive ? count + 1 : count
        }
    }

    /// For how long a proposer counts as an active one.
    private static let activity = Interval.milliseconds(5_000)

    // MARK: Abandoning

    /// When a slot is to be abandoned of which nothing has come; nil where something has.
    ///
    /// What waits behind it can be proposed and executed as long as the window has room. So where
    /// that gets scarce, there is less patience: a multiple of what the proposer takes usually. Else there
    /// is more for one that usually takes long, up to about an election timeout: only its own keys wait.
    ///
    /// Entries of one proposer come one after the other, so each that comes gives those behind it
    /// their time. A slot that was passed over has none of that: the grant was perhaps not wanted any
    /// more when it came.
    private func abandonAt(_ proposal: Proposal, in slot: Slot, patience: Interval) -> Instant? {
        guard let grantee = proposal.grantee, proposal.isMissing else { return nil }
        let grants = peers[grantee].grants
        let isPassedOver = grants.filledThrough > slot
        let since = isPassedOver ? proposal.grantedAt : max(proposal.grantedAt, grants.filledAt)
        let usual = grants.usual
        guard nextSlot.distance(from: inFlight.base) * 2 > window else {
            return since + min(patience * 3, max(usual * 2, patience))
        }
        return since + min(patience, max(usual * 4, patience / 256))
    }

    /// When a granted slot wants to be abandoned, unless its entry comes.
    func abandonAt(patience: Interval) -> Instant {
        var earliest = Instant.distantFuture
        guard unfilled > 0 else { return earliest }
        inFlight.forEach { slot, proposal in
            guard let at = abandonAt(proposal, in: slot, patience: patience) else { return }
            earliest = min(earliest, at)
        }
        return earliest
    }

    mutating func abandonOverdue(
        patience: Interval, _ acceptor: inout Acceptor, _ now: Instant, _ outbox: inout Outbox
    ) {
        let due = slots { slot, proposal in
            abandonAt(proposal, in: slot, patience: patience).map { now >= $0 } ?? false
        }
        abandon(due, &acceptor, &outbox)
    }

    /// The proposer has gone, or has started again: it will not use what it was granted.
    mutating func abandonAll(
        of index: Int, _ acceptor: inout Acceptor, _ outbox: inout Outbox
    ) {
        forgetWaiting(of: index)
        #if SYNOD_PLANTED_BUGS
            if PlantedBug.repeatsGrants.isActive { return renumber(of: index) }
        #endif
        abandon(slots { $1.grantee == index && $1.isMissing }, &acceptor, &outbox)
    }

    #if SYNOD_PLANTED_BUGS
        /// Leaves slots whose entries are missing to the first batches of the proposer's next start.
        private mutating func renumber(of index: Int) {
            let left = slots { $1.grantee == index && $1.entry == nil }
            for (number, slot) in zip(1..., left) {
                inFlight.update(slot) { $0.batch = UInt64(number) }
            }
        }
    #endif

    private func slots(where isMeant: (Slot, Proposal) -> Bool) -> [Slot] {
        var slots: [Slot] = []
        inFlight.forEach { if isMeant($0, $1) { slots.append($0) } }
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
            #if SYNOD_PLANTED_BUGS
                if inFlight[slot]?.entry != nil { unfilled += 1 }
            #endif
            unfilled -= 1
            counters.slotsAbandoned += 1
            if let proposal = inFlight[slot], let grantee = proposal.grantee {
                peers[grantee].grants.forget(proposal.batch)
            }
            inFlightBytes += Entry.noop.encoded.count
            // Small enough to be sent again whenever anything is.
            inFlight[slot] = Proposal(
                entry: .noop, ownTicket: outbox.ticket, knownAt: Instant(nanoseconds: 0),
                attempt: ballot.attempt)
            abandonedThrough = max(abandonedThrough, slot)
            outbox.sendWhenDurable(.accept(ballot: ballot, slot: slot, entry: .noop), to: .others)
            outbox.trace.append(.abandoned(slot))
        }
    }
}
