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
package struct Replica: Sendable {
    package let id: ReplicaID
    package let membership: Membership
    private let timing: Timing
    private let me: Int

    private var acceptor: Acceptor
    private var learner: Learner
    private var election: Election
    private var role = Role.following
    private var forwarder: Forwarder
    private var reader: Reader

    /// Of the last step that persisted something.
    private var lastTicket = WriteTicket.zero
    private var heartbeatAt = Instant.distantFuture
    /// Slots accepted in this step, to be answered as runs.
    private var acceptedRuns: [AcceptedRun] = []

    /// What this replica does beside accepting and learning.
    private enum Role: Sendable {
        /// Hears a leader, or waits to campaign. Goes to `campaigning`.
        case following
        /// Asks for promises. Goes to `leading` with a majority of them, else to `following`.
        case campaigning(Campaign)
        /// Proposes. Goes to `following` when it learns of a higher ballot.
        case leading(Leader)

        /// Changes the leader in place; nothing happens while another leads.
        mutating func updateLeader(_ change: (inout Leader) -> Void) {
            guard case .leading(var leader) = self else { return }
            self = .following  // The only copy, so that it is changed and not copied.
            change(&leader)
            self = .leading(leader)
        }
    }

    private struct AcceptedRun: Sendable {
        let ballot: Ballot
        var first: Slot
        var last: Slot
    }

    /// What a replica finds on its disk when it starts.
    package struct Restored: Sendable {
        package var promised = Ballot.zero
        /// Known to be chosen and executed.
        package var chosenThrough = Slot.zero
        /// Accepted above that, in slot order.
        package var accepted: [SlotAccepted] = []

        package init() {}
    }

    /// - Parameters:
    ///   - boot: grows with every start of this replica, at most 2^24.
    ///   - seed: any number; drawn by the shell.
    package init(
        id: ReplicaID, membership: Membership, timing: Timing, restored: Restored, boot: UInt64,
        seed: UInt64, now: Instant
    ) {
        guard let me = membership.index(of: id) else {
            preconditionFailure("A replica is a member of its membership.")
        }
        precondition(boot < 1 << 24, "A replica starts less than 2^24 times.")
        self.id = id
        self.membership = membership
        self.timing = timing
        self.me = me
        acceptor = Acceptor(
            promised: restored.promised, chosenThrough: restored.chosenThrough,
            accepted: restored.accepted)
        learner = Learner(chosenThrough: restored.chosenThrough, replicas: membership.count)
        election = Election(
            timing: timing, chance: PRNG(seed: seed), promised: acceptor.promised, now: now)
        forwarder = Forwarder(boot: boot)
        reader = Reader(membership: membership, me: me, boot: boot)
    }

    // MARK: What others may know

    /// Everything through here is chosen and has been handed out for execution.
    package var chosenThrough: Slot { learner.chosenThrough }
    package var promised: Ballot { acceptor.promised }
    /// The highest slot in which this replica accepted or learned something.
    package var highestSlot: Slot { acceptor.highestSlot }

    package var leader: ReplicaID? {
        if case .leading = role { id } else { election.leader }
    }

    package var isLeading: Bool {
        if case .leading = role { true } else { false }
    }

    /// The round of the leader heard last.
    package var round: UInt64 { election.leaderBallot.round }

    /// Whether another command may be submitted.
    package var hasRoom: Bool { forwarder.hasRoom }

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

    private mutating func take(_ input: Input, _ now: Instant, _ outbox: inout Outbox) {
        switch input {
        case .received(let message, let sender):
            guard let index = membership.index(of: sender), index != me else { return }
            received(message, from: index, now, &outbox)
        case .submitted(let command, let deadline):
            forwarder.submitted(command, deadline: deadline)
        case .readRequested(let read):
            reader.request(read)
        case .written(let ticket):
            written(through: ticket, now, &outbox)
        case .connected(let peer):
            guard let index = membership.index(of: peer) else { return }
            role.updateLeader { $0.connected(index, now: now) }
            if election.leader == peer, !isLeading {
                forwarder.repeatUnexecuted(
                    now, retransmission: timing.retransmission, &outbox)
            }
        case .disconnected(let peer):
            if election.disconnected(peer, now) {
                outbox.trace.append(.suspected(connectionLost: true))
            }
        case .installed(let slot):
            learner.installed(through: slot, &acceptor)
            forwarder.abandonAll()
            outbox.persist.append(.installed(through: slot))
        }
    }

    /// Acts on every time limit that has passed.
    private mutating func keepTime(_ now: Instant, _ outbox: inout Outbox) {
        switch role {
        case .following:
            if now >= election.suspectAt { startCampaign(now, &outbox) }
        case .campaigning(let campaign):
            if now >= campaign.deadline {
                endCampaign(campaign, now, &outbox)
            } else if now >= campaign.repeatAt {
                repeatCampaign(campaign, now, &outbox)
            }
        case .leading(let leader):
            if !leader.hearsMajority(within: timing.election, now: now) {
                stepDown(.majorityUnheard, now, &outbox)
            }
        }
        let retransmission = timing.retransmission
        role.updateLeader {
            $0.repeatUnanswered(now, retransmission: retransmission, &outbox)
        }
        reader.repeatUnanswered(now, retransmission: timing.retransmission, &outbox)
        if now >= forwarder.repeatAt, !isLeading {
            forwarder.repeatUnexecuted(now, retransmission: timing.retransmission, &outbox)
        }
        forwarder.expire(now)
    }

    /// Moves everything forward as far as it goes.
    private mutating func work(_ now: Instant, _ outbox: inout Outbox) {
        var hasAdvanced = false
        role.updateLeader { hasAdvanced = $0.advance() }
        if case .leading(let leader) = role { learner.announce(leader.progress) }
        learner.advance(&acceptor, &outbox)
        leadIfReady(now, &outbox)
        noteExecuted(outbox.learned[...])
        openStream(now)
        if isLeading {
            proposeWaiting(now, &outbox)
            announceChosen(hasAdvanced, now, &outbox)
        } else if let ballot = followedBallot, forwarder.isOpen(ballot) {
            forwarder.forward(now, retransmission: timing.retransmission, &outbox)
        }
        reader.begin(
            acceptor.readBound(election.progress), now: now,
            retransmission: timing.retransmission, &outbox)
        reader.release(appliedThrough: learner.chosenThrough, &outbox)
        learner.fetchMissing(
            membership, me: me, now: now, patience: timing.heartbeat, &outbox)
    }

    private mutating func proposeWaiting(_ now: Instant, _ outbox: inout Outbox) {
        let retransmission = timing.retransmission
        guard case .leading(var leader) = role else { return }
        role = .following  // The only copy, so that it is changed and not copied.
        if forwarder.isOpen(leader.ballot) { forwarder.handOver { leader.enqueue($0) } }
        leader.proposeWaiting(&acceptor, now: now, retransmission: retransmission, &outbox)
        role = .leading(leader)
    }

    /// Tells the others what is chosen when that has grown, and at fixed intervals.
    private mutating func announceChosen(
        _ hasAdvanced: Bool, _ now: Instant, _ outbox: inout Outbox
    ) {
        guard case .leading(let leader) = role else { return }
        if now >= heartbeatAt {
            heartbeatAt = now + timing.heartbeat
            outbox.send(.heartbeat(leader.progress), to: .others)
        } else if hasAdvanced {
            outbox.send(.chosen(leader.progress), to: .others)
        }
    }

    /// Answers for the whole step, and the time of the next one.
    private mutating func conclude(_ now: Instant, _ outbox: inout Outbox) {
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

    private var wakeAt: Instant {
        var at = min(reader.repeatAt, learner.wakeAt(patience: timing.heartbeat))
        switch role {
        case .following: at = min(at, election.suspectAt, forwarder.repeatAt)
        case .campaigning(let campaign):
            at = min(at, campaign.deadline, campaign.repeatAt, forwarder.repeatAt)
        // A leader forwards nothing: what it sent to the one before it is not sent again.
        case .leading(let leader): at = min(at, heartbeatAt, leader.repeatAt)
        }
        return at
    }

    /// Tells the forwarder which of its commands were executed.
    private mutating func noteExecuted(_ learned: ArraySlice<Learned>) {
        for item in learned {
            item.entry.forEachCommand { command, _ in
                if command.origin == id { forwarder.applied(command.sequence) }
            }
        }
    }

    /// The ballot whose leader is followed or which leads here.
    private var followedBallot: Ballot? {
        election.leader == nil ? nil : election.leaderBallot
    }

    /// Opens the stream of commands to a new leader once all it recovered is executed here.
    private mutating func openStream(_ now: Instant) {
        guard let ballot = followedBallot, !forwarder.isOpen(ballot),
            let progress = election.progress, progress.ballot == ballot,
            learner.chosenThrough >= progress.recoveredThrough
        else { return }
        forwarder.open(ballot, now: now)
    }
}

// MARK: - Messages

extension Replica {
    private mutating func received(
        _ message: Message, from index: Int, _ now: Instant, _ outbox: inout Outbox
    ) {
        let sender = membership.replicas[index]
        role.updateLeader { $0.heard(from: index, now: now) }
        switch message {
        case .canvass(let round):
            canvassed(round, by: sender, now, &outbox)
        case .canvassed(let round, let hearsLeader):
            welcomed(round, hearsLeader: hearsLeader, by: index, now, &outbox)
        case .prepare(let ballot, _):
            prepared(ballot, by: sender, now, &outbox)
        case .promise(let promise):
            promised(promise, by: index, now, &outbox)
        case .nack(let ballot):
            refused(ballot, now, &outbox)
        case .accept(let ballot, let slot, let entry):
            guard hears(ballot, nil, from: sender, now, &outbox) else { return }
            asked(toAccept: entry, in: slot, ballot, &outbox)
        case .accepted(let ballot, let first, let last):
            let retransmission = timing.retransmission
            role.updateLeader { leader in
                guard leader.ballot == ballot else { return }
                leader.accepted(first, last, by: index, retransmission: retransmission, now: now)
            }
        case .chosen(let progress):
            guard hears(progress.ballot, progress, from: sender, now, &outbox) else { return }
            learner.announce(progress)
        case .heartbeat(let progress):
            guard hears(progress.ballot, progress, from: sender, now, &outbox) else { return }
            learner.announce(progress)
            outbox.send(.heard(ballot: progress.ballot), to: .replica(sender))
        case .heard: break
        case .forward(let ballot, let boot, let position, let commands):
            role.updateLeader { leader in
                guard leader.ballot == ballot else { return }
                leader.forwarded(commands, boot: boot, position: position, by: index)
            }
        case .readQuery(let round):
            outbox.send(
                .readReply(
                    round: round, bound: acceptor.readBound(election.progress),
                    chosenThrough: learner.chosenThrough), to: .replica(sender))
        case .readReply(let round, let bound, let chosenThrough):
            learner.note(chosenThrough, learnedBy: index)
            reader.answered(round, bound: bound, by: index)
        case .fetch(let from):
            outbox.fetches.append(Fetch(peer: sender, from: from))
        case .fetched(let from, let entries, let through):
            learner.fetched(from: from, entries, through: through, by: index, &acceptor, &outbox)
        case .truncated: break
        }
    }

    /// A leader of `ballot` speaks. False, and a nack, if its ballot is stale.
    private mutating func hears(
        _ ballot: Ballot, _ progress: Progress?, from sender: ReplicaID, _ now: Instant,
        _ outbox: inout Outbox
    ) -> Bool {
        guard ballot.replica == sender else { return false }
        guard ballot >= acceptor.promised, ballot >= election.leaderBallot else {
            outbox.send(
                .nack(promised: max(acceptor.promised, election.leaderBallot)), to: .replica(sender)
            )
            return false
        }
        switch role {
        case .leading(let leader) where leader.ballot < ballot:
            stepDown(.higherBallot(ballot), now, &outbox)
        case .campaigning: role = .following
        case .leading, .following: break
        }
        if case .newLeader = election.heard(ballot, progress, now) {
            outbox.trace.append(.followed(ballot))
        }
        return true
    }

    private mutating func asked(
        toAccept entry: Entry, in slot: Slot, _ ballot: Ballot, _ outbox: inout Outbox
    ) {
        switch acceptor.accept(ballot, slot, entry, &outbox) {
        case .accepted:
            if let run = acceptedRuns.last, run.ballot == ballot, run.last.next == slot {
                acceptedRuns[acceptedRuns.count - 1].last = slot
            } else {
                acceptedRuns.append(AcceptedRun(ballot: ballot, first: slot, last: slot))
            }
        case .nack(let promised):
            outbox.send(.nack(promised: promised), to: .replica(ballot.replica))
        case .tooFarAhead: break
        }
    }

    private mutating func prepared(
        _ ballot: Ballot, by sender: ReplicaID, _ now: Instant, _ outbox: inout Outbox
    ) {
        guard ballot.replica == sender else { return }
        election.noteRound(ballot.round)
        switch acceptor.prepare(ballot, &outbox) {
        case .promise(let promise):
            outbox.sendWhenDurable(.promise(promise), to: .replica(sender))
            if case .leading(let leader) = role, leader.ballot < ballot {
                stepDown(.higherBallot(ballot), now, &outbox)
            }
            if case .campaigning(let campaign) = role, (campaign.ballot ?? .zero) < ballot {
                role = .following
            }
            election.yield(now)
        case .nack(let promised):
            outbox.send(.nack(promised: promised), to: .replica(sender))
        }
    }

    /// Somebody promised a higher ballot than one that this replica used.
    private mutating func refused(_ promised: Ballot, _ now: Instant, _ outbox: inout Outbox) {
        election.noteRound(promised.round)
        switch role {
        case .leading(let leader) where promised > leader.ballot:
            stepDown(.higherBallot(promised), now, &outbox)
        case .campaigning(let campaign):
            if let ballot = campaign.ballot, promised > ballot {
                endCampaign(campaign, now, &outbox)
            }
        case .leading, .following: break
        }
    }

    private mutating func written(
        through ticket: WriteTicket, _ now: Instant, _ outbox: inout Outbox
    ) {
        role.updateLeader { $0.written(through: ticket) }
        if case .campaigning(var campaign) = role,
            case .persisting(let ballot, let until) = campaign.phase, ticket >= until
        {
            campaign.prepare(ballot)
            role = .campaigning(campaign)
            if membership.count > 1 {
                outbox.send(
                    .prepare(ballot: ballot, from: learner.chosenThrough.next), to: .others)
            }
            guard case .promise(let own) = acceptor.prepare(ballot, &outbox) else {
                // Promised to somebody else while the own promise was being written.
                return endCampaign(campaign, now, &outbox)
            }
            promised(own, by: me, now, &outbox)
        }
    }
}

// MARK: - Leadership

extension Replica {
    private mutating func startCampaign(_ now: Instant, _ outbox: inout Outbox) {
        if election.leader != nil {
            election.suspect()
            outbox.trace.append(.suspected(connectionLost: false))
        }
        let campaign = Campaign(
            round: election.highestRound + 1, deadline: now + timing.retransmission,
            repeatAt: now + timing.backOff)
        role = .campaigning(campaign)
        if membership.count > 1 { outbox.send(.canvass(round: campaign.round), to: .others) }
        welcomed(campaign.round, hearsLeader: false, by: me, now, &outbox)
    }

    /// Somebody asks whether a campaign would be welcome.
    private mutating func canvassed(
        _ round: UInt64, by sender: ReplicaID, _ now: Instant, _ outbox: inout Outbox
    ) {
        let hearsLeader = isLeading || election.hearsLeader(now)
        outbox.send(.canvassed(round: round, hearsLeader: hearsLeader), to: .replica(sender))
        guard !hearsLeader else { return }
        // Of two who ask at the same time, the one with the higher identity goes on.
        if case .campaigning(let campaign) = role, case .canvassing = campaign.phase, sender > id,
            election.yieldOnce(now)
        {
            role = .following
        }
    }

    private mutating func welcomed(
        _ round: UInt64, hearsLeader: Bool, by index: Int, _ now: Instant, _ outbox: inout Outbox
    ) {
        guard !hearsLeader, case .campaigning(var campaign) = role, campaign.round == round,
            let welcomedBy = campaign.welcomed(by: index)
        else { return }
        role = .campaigning(campaign)
        guard membership.isQuorum(welcomedBy) else { return }
        let ballot = election.nextBallot(id)
        campaign = Campaign(
            round: ballot.round, deadline: now + timing.election,
            repeatAt: now + timing.retransmission)
        guard case .promise = acceptor.prepare(ballot, &outbox) else {
            preconditionFailure("A replica promises its own ballot above all it has seen.")
        }
        campaign.persist(ballot, until: outbox.ticket)
        role = .campaigning(campaign)
        outbox.trace.append(.campaigned(ballot))
    }

    private mutating func promised(
        _ promise: Promise, by index: Int, _ now: Instant, _ outbox: inout Outbox
    ) {
        learner.note(promise.chosenThrough, learnedBy: index)
        guard case .campaigning(var campaign) = role,
            case .preparing(promise.ballot) = campaign.phase
        else { return }
        campaign.promised(promise, by: index)
        role = .campaigning(campaign)
    }

    /// Leads once a majority has promised and everything is learned that any of them has learned:
    /// slots that are chosen are never proposed again, and whoever lacks them could not vote for
    /// what comes behind them.
    ///
    /// A promise may outlive the knowledge that it speaks of, when its acceptor crashes before
    /// anyone could ask. Then the campaign ends at its deadline, and the next one finds as merely
    /// accepted what was known to be chosen.
    private mutating func leadIfReady(_ now: Instant, _ outbox: inout Outbox) {
        guard case .campaigning(let campaign) = role, case .preparing(let ballot) = campaign.phase,
            membership.isQuorum(campaign.promisedBy)
        else { return }
        let farthest = campaign.farthest
        guard learner.chosenThrough >= farthest.chosenThrough else {
            return learner.need(through: farthest.chosenThrough, learnedBy: farthest.index)
        }
        let recovery = campaign.recovery(learnedThrough: learner.chosenThrough)
        let leader = Leader(
            ballot: ballot, recovery: recovery, membership: membership, me: me, now: now)
        role = .leading(leader)
        heartbeatAt = now
        _ = election.heard(ballot, leader.progress, now)
        outbox.trace.append(.lead(ballot, recoveredThrough: recovery.recoveredThrough))
    }

    private mutating func repeatCampaign(
        _ campaign: Campaign, _ now: Instant, _ outbox: inout Outbox
    ) {
        var campaign = campaign
        let message: Message
        let answeredBy: ReplicaSet
        switch campaign.phase {
        case .canvassing(let welcomedBy):
            // Soon: whoever still heard the leader a moment ago may have lost it by now.
            campaign.repeatAt = now + timing.backOff
            message = .canvass(round: campaign.round)
            answeredBy = welcomedBy
        case .persisting:
            campaign.repeatAt = now + timing.retransmission
            role = .campaigning(campaign)
            return
        case .preparing(let ballot):
            campaign.repeatAt = now + timing.retransmission
            message = .prepare(ballot: ballot, from: learner.chosenThrough.next)
            answeredBy = campaign.promisedBy
        }
        role = .campaigning(campaign)
        for (index, replica) in membership.replicas.enumerated()
        where index != me && !answeredBy.contains(index) {
            outbox.send(message, to: .replica(replica))
        }
    }

    private mutating func endCampaign(
        _ campaign: Campaign, _ now: Instant, _ outbox: inout Outbox
    ) {
        role = .following
        if let ballot = campaign.ballot {
            outbox.trace.append(.backedOff(ballot, election.backOff(now)))
        } else {
            election.retryCanvass(now)
        }
    }

    private mutating func stepDown(
        _ reason: StepDownReason, _ now: Instant, _ outbox: inout Outbox
    ) {
        guard case .leading(let leader) = role else { return }
        role = .following
        heartbeatAt = .distantFuture
        outbox.trace.append(.steppedDown(leader.ballot, reason: reason))
        election.suspect()
        outbox.trace.append(.backedOff(leader.ballot, election.backOff(now)))
    }
}
