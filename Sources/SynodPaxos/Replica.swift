import SynodBytes

/// One replica of the consensus protocol: proposer, acceptor and learner in one value.
///
/// It is pure: what happens goes in as inputs, what must be done comes out as an ``Outbox``, and
/// time and chance are inputs too. The server and a simulator run the very same code.
///
/// **Departures from the papers.** One promise covers all slots (Multi-Paxos, *Paxos Made Simple*
/// §3). Chosen slots are reported as a prefix and fetched, not re-proposed. A canvass precedes
/// phase 1, so that a half-connected replica cannot depose a leader who is well (compare
/// Omni-Paxos, 2023).
package struct Replica: Hashable, Sendable {
    package let id: ReplicaID
    package let membership: Membership
    let timing: Timing
    let me: Int
    /// Slots that this replica has in flight when it leads, at most; the same everywhere.
    let window: Int

    var acceptor: Acceptor
    var learner: Learner
    var election: Election
    var role = Role.following
    var forwarder: Forwarder
    var proposer = Proposer()
    var governor: Governor
    /// Without those of a leadership that lasts.
    var counters = ProposerCounters()
    var reader: Reader

    /// Of the last step that persisted something.
    var lastTicket = WriteTicket.zero
    var heartbeatAt = Instant.distantFuture
    /// Not to doubt a leader who is heard before then.
    var doubtAt: Instant
    /// When this replica has last learned anything.
    private(set) var learnedAt: Instant
    /// Slots accepted in this step, to be answered as runs.
    var acceptedRuns: [AcceptedRun] = []

    /// What this replica does beside accepting and learning.
    enum Role: Hashable, Sendable {
        /// Hears a leader, or waits to campaign. Goes to `campaigning`.
        case following
        /// Asks for promises. Goes to `leading` with a majority of them, else to `following`.
        case campaigning(Campaign)
        /// Proposes. Goes to `following` when it learns of a higher ballot, or when no majority
        /// answers.
        case leading(Leader)

        /// Changes the leader in place; nothing happens while another leads.
        mutating func updateLeader(_ change: (inout Leader) -> Void) {
            guard case .leading(var leader) = self else { return }
            self = .following  // The only copy, so that it is changed and not copied.
            change(&leader)
            self = .leading(leader)
        }
    }

    struct AcceptedRun: Hashable, Sendable {
        let ballot: Ballot
        var first: Slot
        var last: Slot
    }

    /// What a replica finds on its disk when it starts.
    package struct Restored: Hashable, Sendable {
        package var promised = Ballot.zero
        /// Known to be chosen and executed.
        package var chosenThrough = Slot.zero
        /// Accepted above that, in slot order.
        package var accepted: [SlotAccepted] = []
        /// What was executed is lost, and the log does not reach back to the first slot: a state
        /// must be installed, through `chosenThrough` at least.
        package var lacksState = false

        package init() {}
    }

    /// - Parameters:
    ///   - boot: grows with every start of this replica, at most 2^24.
    ///   - seed: any number; drawn by the shell.
    ///   - window: the same at every replica; smaller than usual where every state is to be visited.
    ///   - proposers: who proposes what clients of this replica write.
    package init(
        id: ReplicaID, membership: Membership, timing: Timing, restored: Restored, boot: UInt64,
        seed: UInt64, window: Int = Limits.window, proposers: ProposerPolicy = .automatic,
        now: Instant
    ) {
        guard let me = membership.index(of: id) else {
            preconditionFailure("A replica is a member of its membership.")
        }
        precondition(boot < 1 << 24, "A replica starts less than 2^24 times.")
        self.id = id
        self.membership = membership
        self.timing = timing
        self.me = me
        self.window = window
        #if SYNOD_PLANTED_BUGS
            var restored = restored
            if PlantedBug.reusesBallot.isActive, restored.promised.replica == id {
                restored.promised = Ballot(round: restored.promised.round - 1, replica: id)
            }
        #endif
        acceptor = Acceptor(
            promised: restored.promised, chosenThrough: restored.chosenThrough,
            accepted: restored.accepted)
        learner = Learner(
            chosenThrough: restored.chosenThrough, lacksState: restored.lacksState,
            replicas: membership.count)
        election = Election(
            timing: timing, chance: PRNG(seed: seed), promised: acceptor.promised, now: now)
        forwarder = Forwarder(boot: boot)
        governor = Governor(policy: proposers)
        reader = Reader(membership: membership, me: me, boot: boot, seed: seed)
        doubtAt = now
        learnedAt = now
    }

    // MARK: What others may know

    /// Everything through here is chosen and has been handed out for execution.
    package var chosenThrough: Slot { learner.chosenThrough }
    /// This replica votes, and cannot execute or lead before a state is installed.
    package var lacksState: Bool { learner.lacksState }
    package var promised: Ballot { acceptor.promised }
    /// The highest slot in which this replica accepted or learned something.
    package var highestSlot: Slot { acceptor.highestSlot }

    package var leader: ReplicaID? {
        if case .leading = role { id } else { election.leader }
    }

    package var isLeading: Bool {
        if case .leading = role { true } else { false }
    }

    /// Whom this replica sends what is meant for the leader; nil if no way to one is known.
    package var nextHop: ReplicaID? { election.nextHop }

    package var isFollowing: Bool {
        if case .following = role { true } else { false }
    }

    /// The round of the leader heard last.
    package var round: UInt64 { election.leaderBallot.round }

    /// Whether the last commands were proposed here instead of sent to the leader.
    package var isProposing: Bool { governor.isProposing }

    /// What this replica has counted as a proposer and as a leader.
    package var proposerCounters: ProposerCounters {
        var all = counters
        all.isProposing = isProposing
        all.slotsAllowed = UInt64(governor.slots)
        if case .leading(let leader) = role {
            all.add(asLeader: leader.counters)
            all.activeProposers = leader.counters.activeProposers
        }
        return all
    }

    /// Whether another command may be submitted.
    package var hasRoom: Bool { forwarder.hasRoom }

    /// Whether another read may be requested.
    package var hasRoomForReads: Bool { reader.hasRoom }

    /// Replaces what chance and time have decided: when to campaign next, how long ago it is that
    /// there was no way to a leader or something was learned, and what is drawn from now on.
    /// Replicas that differ only in that become equal by it.
    package mutating func campaignDue(at instant: Instant, seed: UInt64) {
        learnedAt = instant
        election.campaignDue(at: instant, chance: PRNG(seed: seed))
    }

    // MARK: The step

    /// Takes what has happened since the last step and says what must be done.
    ///
    /// All inputs of one step share one write and one message where they can: the more come at
    /// once, the less each costs.
    package mutating func step(_ inputs: [Input], at now: Instant, into outbox: inout Outbox) {
        precondition(outbox.isEmpty, "The outbox of the last step was dealt with.")
        // What is sent when durable waits for the writes of this very step.
        outbox.ticket = lastTicket.next
        for input in inputs { take(input, now, &outbox) }
        keepTime(now, &outbox)
        work(now, &outbox)
        conclude(now, &outbox)
    }

    mutating func take(_ input: Input, _ now: Instant, _ outbox: inout Outbox) {
        switch input {
        case .received(let message, let sender):
            guard let index = membership.index(of: sender), index != me else { return }
            received(message, from: index, now, &outbox)
        case .submitted(let command, let deadline):
            forwarder.submitted(command, deadline: deadline, now)
        case .readRequested(let read):
            reader.request(read)
        case .written(let ticket):
            written(through: ticket, now, &outbox)
        case .connected(let peer):
            guard let index = membership.index(of: peer) else { return }
            role.updateLeader { $0.connected(index, now: now) }
            learner.connected(index, now)
            if election.nextHop == peer, !isLeading { repeatUnexecuted(now, &outbox) }
        case .disconnected(let peer):
            if election.disconnected(peer, now) {
                outbox.trace.append(.suspected(connectionLost: true))
            }
            if let index = membership.index(of: peer) { abandonSlots(of: index, now, &outbox) }
        case .executed(let executed):
            role.updateLeader { $0.sequencer.executed(executed) }
        case .partReceived: learnedAt = now
        case .installed(let slot):
            learner.installed(through: slot, &acceptor, &outbox)
            forwarder.abandonAll()
            proposer.open(.zero)
            outbox.persist.append(.installed(through: slot))
        }
    }

    /// Acts on every time limit that has passed.
    mutating func keepTime(_ now: Instant, _ outbox: inout Outbox) {
        switch role {
        case .following:
            if now >= election.suspectAt {
                startCampaign(now, &outbox)
            } else if now >= max(doubtAt, unservedFrom) {
                doubtLeader(now, &outbox)
            }
        case .campaigning(let campaign):
            if now >= campaign.deadline {
                endCampaign(campaign, now, &outbox)
            } else if now >= campaign.repeatAt {
                repeatCampaign(campaign, now, &outbox)
            }
        case .leading(let leader):
            if !leader.hasMajority(now) { stepDown(.majorityUnheard, now, &outbox) }
            abandonSlots(now, &outbox)
        }
        election.expireWays(now)
        let retransmission = timing.retransmission
        role.updateLeader {
            $0.repeatUnanswered(now, retransmission: retransmission, &outbox)
        }
        reader.expire(now, spacing: timing.heartbeat)
        reader.repeatUnanswered(now, retransmission: timing.retransmission, &outbox)
        if now >= forwarder.repeatAt, !isLeading { repeatUnexecuted(now, &outbox) }
        if now >= proposer.repeatAt, !isLeading {
            if !reachesLeader { withdrawRequests() }
            proposer.repeatUnanswered(
                boot: forwarder.boot, now, retransmission: retransmission, &outbox)
        }
        forwarder.expire(now)
    }

    /// Moves everything forward as far as it goes.
    mutating func work(_ now: Instant, _ outbox: inout Outbox) {
        var hasAdvanced = false
        let response = timing.response
        role.updateLeader { hasAdvanced = $0.advance(now, response: response) }
        // What the own acceptor accepted at this ballot is what is chosen, whatever was abandoned.
        if case .leading(let leader) = role { learner.announce(leader.progress.ofLeader) }
        learner.advance(&acceptor, &outbox)
        if !outbox.learned.isEmpty { learnedAt = now }
        leadIfReady(now, &outbox)
        noteExecuted(outbox.learned, now)
        noteDecided(outbox.learned, now)
        openStream(now)
        if isLeading {
            proposeWaiting(now, &outbox)
            announceChosen(hasAdvanced, now, &outbox)
        } else if let ballot = followedBallot, forwarder.isOpen(ballot) {
            proposeOrForward(now, &outbox)
        }
        if let scopes = reader.nextScopes {
            reader.begin(
                scopes, readAnswer(scopes), now: now, retransmission: timing.retransmission,
                &outbox)
        }
        reader.release(learner, now, &outbox)
        learner.fetchMissing(
            membership, me: me, from: election.nextHop.flatMap(membership.index(of:)), now: now,
            patience: timing.heartbeat, &outbox)
    }

    /// What this replica knows of what reads ask for.
    func readAnswer(_ scopes: ReadScopes) -> ReadAnswer {
        ReadAnswer(
            chosenThrough: learner.chosenThrough,
            conflicts: acceptor.conflicts(with: scopes, election.progress))
    }

    /// Sends again what was sent toward the leader and not executed.
    mutating func repeatUnexecuted(_ now: Instant, _ outbox: inout Outbox) {
        forwarder.repeatUnexecuted(
            now, via: election.nextHop, retransmission: timing.retransmission, &outbox)
    }

    mutating func proposeWaiting(_ now: Instant, _ outbox: inout Outbox) {
        let retransmission = timing.retransmission
        guard case .leading(var leader) = role else { return }
        role = .following  // The only copy, so that it is changed and not copied.
        if forwarder.isOpen(leader.ballot) { forwarder.handOver { leader.enqueue($0) } }
        leader.proposeWaiting(&acceptor, now: now, retransmission: retransmission, &outbox)
        role = .leading(leader)
    }

    /// Tells the others what is chosen when that has grown, and at fixed intervals.
    mutating func announceChosen(
        _ hasAdvanced: Bool, _ now: Instant, _ outbox: inout Outbox
    ) {
        if now >= heartbeatAt { role.updateLeader { $0.countProposers(now) } }
        guard case .leading(let leader) = role else { return }
        if now >= heartbeatAt {
            heartbeatAt = now + timing.heartbeat
            outbox.send(.heartbeat(leader.progress), to: .others)
            for replica in leader.unconnected(now) {
                outbox.send(.unheard(ballot: leader.ballot), to: .replica(replica))
            }
        } else if hasAdvanced {
            outbox.send(.chosen(leader.progress), to: .others)
        }
    }

    /// Answers for the whole step, and the time of the next one.
    mutating func conclude(_ now: Instant, _ outbox: inout Outbox) {
        for run in acceptedRuns {
            outbox.sendWhenDurable(
                .accepted(ballot: run.ballot, first: run.first, last: run.last),
                to: .replica(run.ballot.replica))
        }
        acceptedRuns.removeAll(keepingCapacity: true)
        if outbox.persist.isEmpty {
            outbox.ticket = lastTicket
            for index in outbox.send.indices where outbox.send[index].afterTicket != nil {
                let envelope = outbox.send[index]
                outbox.send[index] = Envelope(
                    to: envelope.to, message: envelope.message, afterTicket: lastTicket)
            }
        } else {
            lastTicket = outbox.ticket
        }
        outbox.wakeAt = wakeAt
    }

    var wakeAt: Instant {
        var at = min(reader.repeatAt, learner.wakeAt(patience: timing.heartbeat))
        switch role {
        case .following:
            at = min(at, election.suspectAt, max(doubtAt, unservedFrom))
            at = min(at, forwarder.repeatAt, proposer.repeatAt)
        case .campaigning(let campaign):
            at = min(at, campaign.deadline, campaign.repeatAt)
            at = min(at, forwarder.repeatAt, proposer.repeatAt)
        // A leader forwards nothing: what it sent to the one before it is not sent again.
        case .leading(let leader):
            at = min(at, heartbeatAt, leader.repeatAt)
            at = min(at, leader.abandonAt(patience: timing.suspicion))
        }
        return at
    }

    /// Tells the forwarder which of its commands were executed.
    mutating func noteExecuted(_ learned: [Learned], _ now: Instant) {
        for item in learned {
            item.forEachCommand { command in
                if command.id.origin == id { forwarder.applied(command.id.sequence, now) }
            }
        }
    }

    /// The ballot whose leader is followed or which leads here.
    var followedBallot: Ballot? {
        election.leader == nil ? nil : election.leaderBallot
    }

    /// Opens the stream of commands to a new leader once all it recovered is executed here.
    mutating func openStream(_ now: Instant) {
        guard let ballot = followedBallot, !forwarder.isOpen(ballot),
            let progress = election.progress, progress.ballot == ballot,
            learner.chosenThrough >= progress.recoveredThrough
        else { return }
        forwarder.open(ballot, now: now)
        proposer.open(ballot)
    }
}
