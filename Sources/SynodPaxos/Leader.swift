import DequeModule

/// The proposer in phase 2: the leader hands out slots, sends what it proposes to the acceptors
/// and counts who accepted.
///
/// Entries are batched by nature, not by a timer: while the last entry is being written here, or
/// much is in flight, the commands that arrive queue up, and the next entry takes them all. Over
/// the network many slots are in flight at once, up to ``Limits/window``.
package struct Leader: Hashable, Sendable {
    package let ballot: Ballot
    /// The last slot in which a leader of a lower ballot can have proposed anything.
    package let recoveredThrough: Slot
    /// What is to be proposed through there and has not found room in the window yet.
    private var recovered: Deque<Entry>
    let membership: Membership
    let me: Int
    /// Slots in flight, at most.
    let window: Int

    /// Proposed or granted, and not yet chosen; its base is behind the chosen prefix.
    var inFlight: SlotWindow<Proposal>
    /// Of the entries that are known.
    var inFlightBytes = 0
    /// Of those that this replica proposed by itself and that are not chosen.
    private var ownBytes = 0
    private var pace = Pace()
    /// Marks the slots above the chosen prefix that are chosen, too: see ``Progress``.
    private var chosenBeyond: UInt64 = 0
    var sequencer: Sequencer
    /// Slots that are granted and whose entries are not known.
    var unfilled = 0
    var nextSlot: Slot
    /// The last slot that was granted and abandoned.
    var abandonedThrough = Slot.zero
    /// The index of the replica that comes next when slots are granted.
    var nextGrantee = 0
    var counters = ProposerCounters()

    private var queue: Deque<Command> = []
    private var queueBytes = 0
    /// By replica index: what it has forwarded.
    private var streams: [Stream]
    var peers: [Peer]
    /// Everything through here survives a crash of this replica.
    private var durable = WriteTicket.zero
    /// Of the last entry that this replica proposed by itself.
    private var lastOwnTicket = WriteTicket.zero

    struct Proposal: Hashable, Sendable {
        /// Nil while whoever the slot is granted to has not sent it.
        var entry: Entry?
        var acceptedBy = ReplicaSet()
        /// The own acceptor counts when this is durable; nil: it has nothing to write yet.
        var ownTicket: WriteTicket?
        /// The index of the proposer to whom the slot is granted; nil: this replica.
        var grantee: Int?
        /// The number that the grantee gave to the batch.
        var batch: UInt64 = 0
        /// What is granted with the slot.
        var stamp: Stamp?
        var grantedAt = Instant.distantFuture
        /// Since when this replica has the entry.
        var knownAt = Instant.distantFuture
        var attempt: UInt32 = 0
        /// Its bytes that still count as this replica's own.
        var ownBytes = 0

        /// Whether nobody's entry is here, so that the slot may be abandoned.
        var isMissing: Bool {
            #if SYNOD_PLANTED_BUGS
                if PlantedBug.abandonsAccepted.isActive { return true }
            #endif
            return entry == nil
        }
    }

    /// The order of one replica's commands within this ballot.
    private struct Stream: Hashable, Sendable {
        var boot: UInt64 = 0
        var nextPosition: UInt64 = 0
    }

    struct Peer: Hashable, Sendable {
        /// It counts as one who hears this leader, and is heard, until then.
        var connectedUntil: Instant
        var repeats = Repeats()
        /// What was said before then may be lost.
        var connectedAt = Instant(nanoseconds: 0)
        /// It has accepted every slot in flight below this one.
        var firstUnanswered = Slot.zero
        var grants = Grants()
    }

    package init(
        ballot: Ballot, recovery: Campaign.Recovery, membership: Membership, me: Int,
        window: Int = Limits.window, connectedUntil: Instant
    ) {
        self.ballot = ballot
        self.membership = membership
        self.me = me
        self.window = window
        recoveredThrough = recovery.recoveredThrough
        recovered = Deque(recovery.entries)
        nextSlot = recovery.chosenThrough.next
        inFlight = SlotWindow(base: nextSlot)
        sequencer = Sequencer(recoveredThrough: recovery.recoveredThrough)
        streams = Array(repeating: Stream(), count: membership.count)
        peers = Array(
            repeating: Peer(connectedUntil: connectedUntil), count: membership.count)
    }

    package var chosenThrough: Slot { Slot(inFlight.base.rawValue - 1) }

    package var progress: Progress {
        Progress(
            ballot: ballot, chosenThrough: chosenThrough, recoveredThrough: recoveredThrough,
            abandonedThrough: abandonedThrough, chosenBeyond: chosenBeyond,
            backlog: UInt64(queueBytes / Limits.entryBytes))
    }

    // MARK: Commands

    /// Takes commands of this replica's own clients; false when the queue is full.
    package mutating func enqueue(_ command: Command) -> Bool {
        guard queueBytes + command.byteCount <= Limits.queueBytes else { return false }
        queue.append(command)
        queueBytes += command.byteCount
        return true
    }

    /// Takes forwarded commands that are next in their sender's order and ignores the others:
    /// what was seen before is in a slot already, and what comes early is sent again.
    package mutating func forwarded(
        _ commands: [Command], boot: UInt64, position: UInt64, by index: Int
    ) {
        if boot > streams[index].boot { streams[index] = Stream(boot: boot) }
        guard boot == streams[index].boot, position <= streams[index].nextPosition else { return }
        let seen = streams[index].nextPosition - position
        guard seen < UInt64(commands.count) else { return }
        for command in commands.dropFirst(Int(seen)) {
            guard enqueue(command) else { return }
            streams[index].nextPosition += 1
        }
    }

    // MARK: Proposing

    /// Proposes an entry in the next slot: to the own acceptor first, which cannot refuse, then
    /// to all others. They write at the same time as this replica does.
    private mutating func propose(
        _ entry: Entry, _ acceptor: inout Acceptor, _ now: Instant, _ outbox: inout Outbox
    ) {
        let slot = nextSlot
        nextSlot = nextSlot.next
        guard case .accepted = acceptor.accept(ballot, slot, entry, &outbox) else {
            preconditionFailure("A leader's own acceptor has promised its ballot and no higher.")
        }
        let bytes = entry.commandBytes
        inFlight[slot] = Proposal(
            entry: entry, ownTicket: outbox.ticket, knownAt: now, ownBytes: bytes)
        lastOwnTicket = outbox.ticket
        inFlightBytes += entry.encoded.count
        ownBytes += bytes
        outbox.send(.accept(ballot: ballot, slot: slot, entry: entry), to: .others)
    }

    /// Proposes what the window has room for: first what was recovered, then what has queued,
    /// unless the last entry is still being written.
    package mutating func proposeWaiting(
        _ acceptor: inout Acceptor, now: Instant, retransmission: Interval, _ outbox: inout Outbox
    ) {
        while hasRoom(acceptor), let entry = recovered.popFirst() {
            propose(entry, &acceptor, now, &outbox)
        }
        if recovered.isEmpty { grantWaiting(acceptor, now, &outbox) }
        while recovered.isEmpty, !queue.isEmpty, hasRoom(acceptor), !waitsForMore {
            let batch = nextBatch()
            let stamp = sequencer.propose(batch, in: nextSlot)
            propose(Entry(batch, stamp: stamp), &acceptor, now, &outbox)
            counters.proposedAsLeaderAt = now
        }
        for index in peers.indices where index != me && !inFlight.isEmpty {
            peers[index].repeats.arm(at: now + retransmission)
        }
    }

    private mutating func nextBatch() -> [Command] {
        var batch: [Command] = []
        var bytes = 0
        while let command = queue.first, batch.count < Limits.entryCommands,
            batch.isEmpty || bytes + command.byteCount <= pace.entryBytes
        {
            bytes += command.byteCount
            batch.append(queue.removeFirst())
        }
        queueBytes -= bytes
        return batch
    }

    /// Recovery relies on this bound: no slot is proposed further above the chosen ones.
    func hasRoom(_ acceptor: Acceptor) -> Bool {
        nextSlot.distance(from: inFlight.base) < window
            && inFlightBytes + unfilled * Limits.entryBytes < Limits.windowBytes
            && acceptor.hasRoom(for: nextSlot)
    }

    /// Whether the next entry waits for more commands, because those that queue do not fill it:
    /// while the last one is being written here, and while they are less than half of what this
    /// replica has in flight; or because that is as much as the links carry. What other proposers have
    /// in flight is no reason: it may be large and never end.
    ///
    /// Every slot costs each replica a write and its messages, however small it is. With the
    /// second condition each entry is half as large as all before it that are not chosen: the slots
    /// of a round trip grow with the logarithm of its commands only, so that a slow majority makes
    /// for larger entries instead of more, and a lone command still goes at once.
    private var waitsForMore: Bool {
        guard pace.hasRoom(inFlight: ownBytes, for: min(queueBytes, pace.entryBytes)) else {
            return true
        }
        guard queueBytes < pace.entryBytes else { return false }
        if queueBytes * 2 < ownBytes { return true }
        return lastOwnTicket > durable
    }

    // MARK: Counting

    /// This replica's own writes became durable, its own acceptances among them.
    package mutating func written(through ticket: WriteTicket) {
        durable = ticket
        var slot = inFlight.base
        while slot < inFlight.end {
            inFlight.update(slot) { proposal in
                if let own = proposal.ownTicket, own <= ticket { proposal.acceptedBy.insert(me) }
            }
            slot = slot.next
        }
    }

    /// An acceptor accepted a run of slots at an attempt of this ballot.
    package mutating func accepted(
        _ first: Slot, _ last: Slot, attempt: UInt32, by index: Int, retransmission: Interval,
        now: Instant, _ outbox: inout Outbox
    ) {
        var slot = max(first, inFlight.base)
        var answered = 0
        let repeatedThrough = peers[index].repeats.through
        while slot <= last, slot < inFlight.end {
            inFlight.update(slot) { proposal in
                guard proposal.attempt == attempt, !proposal.acceptedBy.contains(index) else {
                    return
                }
                proposal.acceptedBy.insert(index)
                if slot <= repeatedThrough { answered += 1 }
            }
            slot = slot.next
        }
        repeatMore(to: index, for: answered, now, retransmission: retransmission, &outbox)
        // An answer to a later slot does not put off what an earlier one still lacks.
        let before = max(peers[index].firstUnanswered, inFlight.base)
        var unanswered = before
        while inFlight[unanswered]?.acceptedBy.contains(index) == true {
            unanswered = unanswered.next
        }
        peers[index].firstUnanswered = unanswered
        if unanswered > before { peers[index].repeats.progressed(until: now + retransmission) }
    }

    /// Moves the chosen prefix over every slot that a quorum accepted. True if that is news, or if
    /// slots are chosen above it that can be executed.
    package mutating func advance(_ now: Instant, response: Interval) -> Bool {
        let before = inFlight.base
        while let proposal = inFlight[inFlight.base], isChosen(proposal) {
            inFlightBytes -= proposal.entry?.encoded.count ?? 0
            if proposal.ownBytes > 0 { noteChosen(proposal, response, now) }
            inFlight.raiseBase(to: inFlight.base.next)
        }
        if inFlight.isEmpty {
            for index in peers.indices { peers[index].repeats = Repeats() }
        }
        return lookBeyond(now, response) || inFlight.base > before
    }

    /// What this replica proposed by itself is chosen, and does not count as in flight any more.
    private mutating func noteChosen(_ own: Proposal, _ response: Interval, _ now: Instant) {
        pace.decided(
            bytes: own.ownBytes, inFlight: ownBytes, proposedAt: own.knownAt, response: response,
            holdsUpOthers: sequencer.isShared, now)
        ownBytes -= own.ownBytes
    }

    /// Finds what is chosen above the prefix and has a stamp. True if there is more of it.
    private mutating func lookBeyond(_ now: Instant, _ response: Interval) -> Bool {
        guard sequencer.isShared || chosenBeyond != 0 else { return false }
        let countBefore = chosenBeyond.nonzeroBitCount
        chosenBeyond = 0
        var slot = inFlight.base
        while slot < inFlight.end, slot.distance(from: inFlight.base) < 64 {
            if let proposal = inFlight[slot], proposal.attempt == 0, isChosen(proposal),
                let entry = proposal.entry, entry.isStamped
            {
                chosenBeyond |= 1 << UInt64(slot.distance(from: inFlight.base))
                if proposal.ownBytes > 0 {
                    noteChosen(proposal, response, now)
                    inFlight.update(slot) { $0.ownBytes = 0 }
                }
            }
            slot = slot.next
        }
        return chosenBeyond.nonzeroBitCount > countBefore
    }

    /// A granted slot is not chosen without this replica's own acceptor: so it can be abandoned as
    /// long as that has accepted nothing.
    private func isChosen(_ proposal: Proposal) -> Bool {
        guard proposal.grantee == nil || proposal.acceptedBy.contains(me) else { return false }
        #if SYNOD_PLANTED_BUGS
            if PlantedBug.answersWithoutQuorum.isActive { return proposal.acceptedBy.contains(me) }
        #endif
        return membership.isQuorum(proposal.acceptedBy)
    }

    // MARK: Peers

    /// A peer has answered something of this ballot.
    package mutating func answered(by index: Int, connectedUntil: Instant) {
        peers[index].connectedUntil = max(peers[index].connectedUntil, connectedUntil)
    }

    /// Whether a majority, this replica included, hears this leader and is heard. A leader without
    /// one steps down, so that those who hear it look for another. Only answers to this ballot
    /// count: a leader who hears many, and is heard by few, would be of no use and stay for ever.
    package func hasMajority(_ now: Instant) -> Bool {
        var connected = ReplicaSet()
        connected.insert(me)
        for index in peers.indices where index != me && now < peers[index].connectedUntil {
            connected.insert(index)
        }
        return membership.isQuorum(connected)
    }

    /// Those who do not hear this leader or are not heard by it.
    package func unconnected(_ now: Instant) -> [ReplicaID] {
        peers.indices.filter { $0 != me && now >= peers[$0].connectedUntil }
            .map { membership.replicas[$0] }
    }
}
