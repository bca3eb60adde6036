// From suspecting a leader to being one, and back.
extension Replica {
    mutating func startCampaign(_ now: Instant, _ outbox: inout Outbox) {
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
    mutating func canvassed(
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

    mutating func welcomed(
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
            window: window, now: now)
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

    mutating func endCampaign(
        _ campaign: Campaign, _ now: Instant, _ outbox: inout Outbox
    ) {
        role = .following
        if let ballot = campaign.ballot {
            outbox.trace.append(.backedOff(ballot, election.backOff(now)))
        } else {
            election.retryCanvass(now)
        }
    }

    mutating func stepDown(
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
