// From suspecting a leader to being one, and back.
extension Replica {
    mutating func startCampaign(_ now: Instant, _ outbox: inout Outbox) {
        if election.isHearing {
            election.suspect(now)
            outbox.trace.append(.suspected(connectionLost: false))
        }
        election.losePatience()
        canvass(now, &outbox)
    }

    /// From when on this replica is unserved: there has been a way to the leader for long, and yet
    /// what waits here makes no headway, nor does what is to be learned first.
    var unservedFrom: Instant {
        guard let reachableSince = election.reachableSince else { return .distantFuture }
        let waitingSince = min(forwarder.waitingSince, reader.waitingSince)
        guard waitingSince < .distantFuture else { return .distantFuture }
        let isBehind = learner.chosenThrough < election.progress?.chosenThrough ?? .zero
        let start = max(reachableSince, waitingSince)
        return (isBehind ? max(start, learnedAt) : start) + timing.stall
    }

    /// The leader is heard, and either nothing that is sent from here reaches it or nothing that
    /// it sends does any good: the others know which.
    mutating func doubtLeader(_ now: Instant, _ outbox: inout Outbox) {
        doubtAt = now + timing.election / 2
        election.unserved(now)
        outbox.trace.append(.unserved(election.leaderBallot))
        canvass(now, &outbox)
    }

    /// Asks the others for a way to the leader, without meaning to campaign.
    func seekWayToLeader(_ now: Instant, _ outbox: inout Outbox) {
        let round = election.highestRound + 1
        outbox.send(.canvass(round: round, isUnserved: now >= unservedFrom), to: .others)
    }

    private mutating func canvass(_ now: Instant, _ outbox: inout Outbox) {
        let interval = election.canvassInterval
        let campaign = Campaign(
            round: election.highestRound + 1, canvassInterval: interval,
            deadline: now + timing.retransmission, repeatAt: now + interval)
        role = .campaigning(campaign)
        if membership.count > 1 {
            outbox.send(
                .canvass(round: campaign.round, isUnserved: now >= unservedFrom),
                to: .others)
        }
        welcomed(campaign.round, by: me, now, &outbox)
    }

    /// Somebody asks whether a campaign would be welcome.
    mutating func canvassed(
        _ round: UInt64, by sender: ReplicaID, isUnserved: Bool, _ now: Instant,
        _ outbox: inout Outbox
    ) {
        election.asked(by: sender, for: round, now)
        // Without a state, this replica cannot promise to who lacks what was in it.
        let isOfUse = !isUnserved || lacksState || !election.isStalled(now)
        let hearsLeader = isLeading || (election.hearsLeader(now) && isOfUse)
        guard hearsLeader || election.welcomes(sender, now) else { return }
        var progress: Progress?
        if case .leading(let leader) = role {
            progress = leader.progress
        } else if hearsLeader {
            // What the leader has recovered must be known to whoever wants to send it commands.
            guard let report = election.report(now) else { return }
            progress = report
        }
        outbox.send(
            .canvassed(
                round: round, leader: progress,
                // Nothing is to be had where the state is missing.
                chosenThrough: lacksState ? .zero : learner.chosenThrough),
            to: .replica(sender))
        guard !hearsLeader else { return }
        // Of two who ask at the same time, the one with the higher identity goes on.
        if case .campaigning(let campaign) = role, case .canvassing = campaign.phase, sender > id,
            election.yieldOnce(now)
        {
            role = .following
        }
    }

    /// A peer hears a leader, which is followed through that peer if it is not heard here, or
    /// hears none and welcomes a campaign.
    ///
    /// A departure from Omni-Paxos, where a replica that has lost the leader takes over: the leader
    /// is well, or it would not be heard by whoever answers nor stay a leader (see
    /// ``Leader/hasMajority(_:)``), and reaches a majority, which the replica's commands can reach too.
    mutating func canvassAnswered(
        _ round: UInt64, _ progress: Progress?, by index: Int, _ now: Instant,
        _ outbox: inout Outbox
    ) {
        let peer = membership.replicas[index]
        guard let progress else {
            election.dropRelay(peer, now)
            return welcomed(round, by: index, now, &outbox)
        }
        refused(progress.ballot, now, &outbox)
        if progress.ballot.replica == peer {
            guard hears(progress.ballot, progress, from: peer, now, &outbox) else { return }
        } else if election.reported(progress, by: peer, to: id, now) {
            if forwarder.isOpen(progress.ballot) { repeatUnexecuted(now, &outbox) }
        }
        learner.announce(progress)
    }

    mutating func welcomed(
        _ round: UInt64, by index: Int, _ now: Instant, _ outbox: inout Outbox
    ) {
        guard case .campaigning(var campaign) = role, campaign.round == round,
            let welcomedBy = campaign.welcomed(by: index)
        else { return }
        role = .campaigning(campaign)
        guard membership.isQuorum(welcomedBy), !lacksState else { return }
        // A leader is not deposed by who is merely behind: those who know more can be served, or campaign.
        guard
            !(election.hearsLeader(now) || now >= unservedFrom)
                || membership.isQuorum(learner.noneAhead(of: welcomedBy))
        else { return }
        let ballot = election.nextBallot(id)
        campaign = Campaign(
            round: ballot.round, canvassInterval: campaign.canvassInterval,
            deadline: now + election.campaignLimit, repeatAt: now + timing.retransmission)
        election.campaigns(id, now)
        guard case .promise = acceptor.prepare(ballot, &outbox) else {
            preconditionFailure("A replica promises its own ballot above all it has seen.")
        }
        campaign.persist(ballot, until: outbox.ticket)
        role = .campaigning(campaign)
        outbox.trace.append(.campaigned(ballot))
    }

    mutating func promised(
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
    mutating func leadIfReady(_ now: Instant, _ outbox: inout Outbox) {
        guard case .campaigning(let campaign) = role, case .preparing(let ballot) = campaign.phase,
            membership.isQuorum(campaign.promisedBy)
        else { return }
        let farthest = campaign.farthest
        guard learner.chosenThrough >= farthest.chosenThrough else {
            return learner.need(through: farthest.chosenThrough, learnedBy: farthest.index)
        }
        let recovery = campaign.recovery(
            learnedThrough: learner.chosenThrough, window: window)
        let leader = Leader(
            ballot: ballot, recovery: recovery, membership: membership, me: me,
            window: window, connectedUntil: now + timing.election)
        role = .leading(leader)
        heartbeatAt = now
        election.heard(ballot, leader.progress, now)
        outbox.trace.append(.lead(ballot, recoveredThrough: recovery.recoveredThrough))
    }

    mutating func repeatCampaign(
        _ campaign: Campaign, _ now: Instant, _ outbox: inout Outbox
    ) {
        var campaign = campaign
        let message: Message
        let answeredBy: ReplicaSet
        switch campaign.phase {
        case .canvassing(let welcomedBy):
            campaign.repeatAt = now + campaign.canvassInterval
            message = .canvass(round: campaign.round, isUnserved: now >= unservedFrom)
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

    mutating func endCampaign(
        _ campaign: Campaign, _ now: Instant, _ outbox: inout Outbox
    ) {
        role = .following
        if let ballot = campaign.ballot {
            election.hasLost(id, isOutOfTime: now >= campaign.deadline)
            outbox.trace.append(.backedOff(ballot, election.backOff(now)))
        } else if !election.isHearing {
            election.retryCanvass(now)
        }
    }

    mutating func stepDown(
        _ reason: StepDownReason, _ now: Instant, _ outbox: inout Outbox
    ) {
        guard case .leading(let leader) = role else { return }
        counters.add(asLeader: leader.counters)
        role = .following
        heartbeatAt = .distantFuture
        outbox.trace.append(.steppedDown(leader.ballot, reason: reason))
        election.suspect(now)
        outbox.trace.append(.backedOff(leader.ballot, election.backOff(now)))
    }
}
