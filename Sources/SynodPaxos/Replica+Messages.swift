// What a replica does about each message.
extension Replica {
    mutating func received(
        _ message: Message, from index: Int, _ now: Instant, _ outbox: inout Outbox
    ) {
        let sender = membership.replicas[index]
        switch message {
        case .canvass(let round, let isUnserved):
            canvassed(round, by: sender, isUnserved: isUnserved, now, &outbox)
        case .canvassed(let round, let progress, let chosenThrough):
            learner.note(chosenThrough, learnedBy: index)
            canvassAnswered(round, progress, by: index, now, &outbox)
        case .prepare(let ballot, let from):
            prepared(ballot, from: from, by: sender, now, &outbox)
        case .promise(let promise):
            promised(promise, by: index, now, &outbox)
        case .nack(let ballot):
            refused(ballot, now, &outbox)
        case .accept(let ballot, let slot, let entry):
            let isFromLeader = ballot.replica == sender
            guard
                isFromLeader
                    ? hears(ballot.general, nil, from: sender, now, &outbox)
                    : obeys(ballot, in: slot, of: index, now, &outbox)
            else { return }
            asked(toAccept: entry, in: slot, ballot, now, &outbox)
        case .grantRequest(let ballot, let boot, let batches):
            requested(batches, at: ballot, boot: boot, by: index, &outbox)
        case .grant(let ballot, let boot, let batch, let slot, let stamp):
            guard ballot.replica == sender, boot == forwarder.boot, !isLeading else { return }
            let isInTime = proposer.granted(
                slot, stamp, for: batch, at: ballot, chosenThrough: learner.chosenThrough)
            if !isInTime { missedSlot(now) }
        case .accepted(let ballot, let first, let last):
            let until = now + timing.leaderPatience
            let retransmission = timing.retransmission
            role.updateLeader { leader in
                guard leader.ballot == ballot.general else { return }
                leader.answered(by: index, connectedUntil: until)
                leader.accepted(
                    first, last, attempt: ballot.attempt, by: index,
                    retransmission: retransmission, now: now, &outbox)
            }
        case .chosen(let progress):
            guard hears(progress.ballot, progress, from: sender, now, &outbox) else { return }
            learner.announce(progress)
        case .heartbeat(let progress):
            guard hears(progress.ballot, progress, from: sender, now, &outbox) else { return }
            learner.announce(progress)
            outbox.send(.heard(ballot: progress.ballot), to: .replica(sender))
            if election.isUnheard { seekWayToLeader(now, &outbox) }
        case .heard(let ballot): answered(ballot, by: index, now)
        case .unheard(let ballot):
            guard hears(ballot, nil, from: sender, now, &outbox) else { return }
            // No campaign comes of it: others are asked for a way to the leader.
            if !election.isUnheard { seekWayToLeader(now, &outbox) }
            election.unheard(now)
        case .forward(let ballot, let boot, let position, let commands):
            guard let origin = commands.first?.id.origin else { return }
            if isLeading {
                forwarded(commands, from: origin, ballot, boot: boot, position: position)
            } else if origin == sender, election.hearsLeader(now), election.leaderBallot == ballot {
                outbox.send(message, to: .replica(ballot.replica))
            }
        case .readQuery(let round, let scopes):
            let answer = readAnswer(scopes)
            outbox.send(
                .readReply(
                    round: round, chosenThrough: answer.chosenThrough,
                    conflicts: answer.conflicts), to: .replica(sender))
        case .readReply(let round, let chosenThrough, let conflicts):
            learner.note(chosenThrough, learnedBy: index)
            reader.answered(
                round, ReadAnswer(chosenThrough: chosenThrough, conflicts: conflicts), by: index)
        case .fetch(let from):
            outbox.fetches.append(Fetch(peer: sender, from: from))
        case .fetched(let from, let entries, let through):
            learner.fetched(from: from, entries, through: through, by: index, &acceptor, &outbox)
        case .truncated: break
        }
    }

    /// A peer has heard what this replica said as the leader of `ballot`, and is heard.
    private mutating func answered(_ ballot: Ballot, by index: Int, _ now: Instant) {
        let until = now + timing.leaderPatience
        role.updateLeader { leader in
            guard leader.ballot == ballot else { return }
            leader.answered(by: index, connectedUntil: until)
        }
    }

    private mutating func forwarded(
        _ commands: [Command], from origin: ReplicaID, _ ballot: Ballot, boot: UInt64,
        position: UInt64
    ) {
        guard let index = membership.index(of: origin), index != me else { return }
        role.updateLeader { leader in
            guard leader.ballot == ballot else { return }
            leader.forwarded(commands, boot: boot, position: position, by: index)
        }
    }

    /// A leader of `ballot` speaks. False, and a nack, if its ballot is stale.
    mutating func hears(
        _ ballot: Ballot, _ progress: Progress?, from sender: ReplicaID, _ now: Instant,
        _ outbox: inout Outbox
    ) -> Bool {
        guard ballot.replica == sender, !election.isOver(ballot, now) else { return false }
        #if SYNOD_PLANTED_BUGS
            if PlantedBug.ignoresPromise.isActive { acceptor.forgetPromise(above: ballot) }
        #endif
        guard ballot >= acceptor.promised, ballot >= election.leaderBallot else {
            outbox.send(
                .nack(promised: max(acceptor.promised, election.leaderBallot)), to: .replica(sender)
            )
            return false
        }
        switch role {
        case .leading(let leader) where leader.ballot < ballot:
            stepDown(.higherBallot(ballot), now, &outbox)
        // One who is heard and brings nothing forward does not end the question of who else could.
        case .campaigning(let campaign) where campaign.ballot == nil && now >= unservedFrom: break
        case .campaigning: role = .following
        case .leading, .following: break
        }
        if election.heard(ballot, progress, now) {
            outbox.trace.append(.followed(ballot))
        }
        return true
    }

    mutating func asked(
        toAccept entry: Entry, in slot: Slot, _ ballot: Ballot, _ now: Instant,
        _ outbox: inout Outbox
    ) {
        switch acceptor.accept(ballot, slot, entry, &outbox) {
        case .accepted where ballot.replica == id:
            let ticket = outbox.ticket
            role.updateLeader { leader in
                if leader.ballot == ballot { leader.filled(slot, with: entry, ticket: ticket, now) }
            }
        case .accepted:
            if let run = acceptedRuns.last, run.ballot == ballot, run.last.next == slot {
                acceptedRuns[acceptedRuns.count - 1].last = slot
            } else {
                acceptedRuns.append(AcceptedRun(ballot: ballot, first: slot, last: slot))
            }
        case .nack(let promised):
            outbox.send(.nack(promised: promised), to: .replica(ballot.replica))
        case .tooFarAhead, .abandoned: break
        }
    }

    mutating func prepared(
        _ ballot: Ballot, from slot: Slot, by sender: ReplicaID, _ now: Instant,
        _ outbox: inout Outbox
    ) {
        guard ballot.replica == sender else { return }
        election.noteRound(ballot.round)
        // The candidate would have to learn first what was lost here with the state. Others may promise
        // who have it as accepted.
        guard !lacksState || slot > learner.chosenThrough else { return }
        switch acceptor.prepare(ballot, &outbox) {
        case .promise(let promise):
            #if SYNOD_PLANTED_BUGS
                if PlantedBug.forgetsPromise.isActive {
                    outbox.persist.removeAll { $0 == .promised(ballot) }
                }
            #endif
            outbox.sendWhenDurable(.promise(promise), to: .replica(sender))
            if case .leading(let leader) = role, leader.ballot < ballot {
                stepDown(.higherBallot(ballot), now, &outbox)
            }
            if case .campaigning(let campaign) = role, (campaign.ballot ?? .zero) < ballot {
                role = .following
            }
            election.yield(to: sender, now)
        case .nack(let promised):
            outbox.send(.nack(promised: promised), to: .replica(sender))
        }
    }

    /// Somebody promised, or follows, a higher ballot than one that this replica used.
    mutating func refused(_ promised: Ballot, _ now: Instant, _ outbox: inout Outbox) {
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

    mutating func written(
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
