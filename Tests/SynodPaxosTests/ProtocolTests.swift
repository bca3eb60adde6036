import SynodBytes
import SynodPaxos
import Testing

/// The rules of the protocol beyond the paper, and the known ways to get them wrong. The test
/// plays every replica but the first, and the disk.
struct ProtocolTests {
    private let first = Slot(1)

    private func command(_ sequence: UInt64, from origin: UInt64 = 1) -> Command {
        Command(
            id: CommandID(origin: ReplicaID(origin), sequence: sequence), footprint: .everything,
            payload: [UInt8(ascii: "c")])
    }

    /// Commands in the accepts of the last step, by sequence.
    private func proposed(_ lone: LoneReplica) -> [UInt64] {
        lone.messages.flatMap { message -> [UInt64] in
            guard case .accept(_, _, let entry) = message else { return [] }
            var sequences: [UInt64] = []
            entry.forEachCommand { sequences.append($0.id.sequence) }
            return sequences
        }
    }

    /// A leader of three whose recovered slots are all chosen.
    private func settledLeader() -> (lone: LoneReplica, ballot: Ballot) {
        var lone = LoneReplica()
        let ballot = lone.lead()
        lone.sync()
        lone.hear(
            .accepted(ballot: ballot, first: first, last: Slot(UInt64(Limits.window))), from: 2)
        return (lone, ballot)
    }

    // MARK: Counting

    /// A duplicated answer counts once, in every kind of round.
    @Test func duplicatesCountOnce() {
        var lone = LoneReplica(count: 5)
        lone.pass(.milliseconds(200))
        guard case .canvass(let round, _)? = lone.messages.first else {
            Issue.record("no canvass")
            return
        }
        let welcome = Message.canvassed(round: round, leader: nil, chosenThrough: .zero)
        lone.hear(welcome, welcome, welcome, from: 2)
        #expect(lone.outbox.persist.isEmpty)
        lone.hear(welcome, from: 3)
        #expect(lone.outbox.persist.count == 1)
        lone.sync()
        guard case .prepare(let ballot, _)? = lone.messages.first else {
            Issue.record("no prepare")
            return
        }
        let promise = Message.promise(
            Promise(ballot: ballot, chosenThrough: .zero, accepted: []))
        lone.hear(promise, promise, promise, from: 2)
        #expect(!lone.replica.isLeading)
        lone.hear(promise, from: 3)
        #expect(lone.replica.isLeading)
        lone.sync()
        let accepted = Message.accepted(ballot: ballot, first: first, last: Slot(9))
        lone.hear(accepted, accepted, accepted, from: 2)
        #expect(lone.outbox.learned.isEmpty)
        lone.hear(accepted, from: 3)
        #expect(lone.outbox.learned.map(\.slot) == (1...9).map { Slot($0) })

        lone.step([.read(1, .everything)])
        guard case .readQuery(let number, _)? = lone.messages.first else {
            Issue.record("no question")
            return
        }
        let reply = Message.readReply(round: number, chosenThrough: .zero, conflicts: [])
        lone.hear(reply, reply, reply, from: 2)
        #expect(lone.outbox.readable.isEmpty)
    }

    /// What a leader accepted itself counts when it is durable, not before.
    @Test func theLeadersOwnAcceptCountsWhenItIsDurable() {
        var lone = LoneReplica()
        let ballot = lone.lead()
        let ticket = lone.outbox.ticket
        lone.hear(.accepted(ballot: ballot, first: first, last: first), from: 2)
        #expect(lone.outbox.learned.isEmpty)
        lone.step([.written(through: ticket)])
        #expect(lone.outbox.learned.map(\.slot) == [first])
    }

    /// An answer at another ballot is no answer.
    @Test func answersToAnotherBallotDoNotCount() {
        var lone = LoneReplica()
        let ballot = lone.lead()
        lone.sync()
        let older = Ballot(round: ballot.round - 1, replica: ballot.replica)
        lone.hear(.accepted(ballot: older, first: first, last: first), from: 2)
        #expect(lone.outbox.learned.isEmpty)
    }

    // MARK: Leadership

    /// Who hears a leader does not welcome a campaign; who hears none does.
    @Test func aHeardLeaderIsNotDeposed() {
        var lone = LoneReplica()
        lone.hear(.heartbeat(Ballot(1, of: 2)), from: 2)
        lone.hear(.canvass(round: 2, isUnserved: false), from: 3)
        #expect(
            lone.messages == [
                .canvassed(
                    round: 2,
                    leader: Progress(
                        ballot: Ballot(1, of: 2), chosenThrough: .zero, recoveredThrough: .zero),
                    chosenThrough: .zero)
            ])
        lone.step([.disconnected(ReplicaID(2))])
        lone.hear(.canvass(round: 2, isUnserved: false), from: 3)
        #expect(lone.messages.contains(.canvassed(round: 2, leader: nil, chosenThrough: .zero)))
    }

    private func isWelcome(_ lone: inout LoneReplica, _ candidate: UInt64) -> Bool {
        lone.hear(.canvass(round: 1000, isUnserved: false), from: candidate)
        return lone.messages.contains { if case .canvassed = $0 { true } else { false } }
    }

    /// A campaign that was promised is not disturbed for a while, longer after each that came to
    /// nothing, and no candidate's for a second time.
    @Test func aPromisedCampaignIsLeftAlone() {
        var lone = LoneReplica(count: 5)
        let patience = LoneReplica.timing.suspicion / 2
        for (candidate, growth) in [(2, 1), (3, 2), (4, 4), (5, 8)] as [(UInt64, UInt64)] {
            lone.hear(.prepare(ballot: Ballot(growth, of: candidate), from: first), from: candidate)
            let promised = lone.now
            #expect(isWelcome(&lone, candidate))
            while !isWelcome(&lone, candidate == 2 ? 3 : 2) { lone.pass(.milliseconds(10)) }
            let wait = lone.now.since(promised)
            #expect(wait >= patience * growth && wait < patience * growth * 2)
        }
        lone.hear(.prepare(ballot: Ballot(100, of: 2), from: first), from: 2)
        #expect(isWelcome(&lone, 3))
    }

    @Test func aCampaignWhoseCandidateDiesIsNotLeftAlone() {
        var lone = LoneReplica(count: 5)
        lone.hear(.prepare(ballot: Ballot(1, of: 2), from: first), from: 2)
        #expect(!isWelcome(&lone, 3))
        lone.step([.disconnected(ReplicaID(2))])
        #expect(isWelcome(&lone, 3))
        #expect(lone.outbox.wakeAt <= lone.now + LoneReplica.timing.backOff)
    }

    /// Who has lost the leader sends its commands through a peer that hears it; who has not, passes
    /// them on, and not those of a third.
    @Test func commandsGoThroughAPeerThatHearsTheLeader() {
        let ballot = Ballot(1, of: 3)
        let progress = Progress(
            ballot: ballot, chosenThrough: .zero, recoveredThrough: .zero)
        let command = Command(
            id: CommandID(origin: ReplicaID(1), sequence: 1), footprint: .everything, payload: [])
        var lone = LoneReplica()
        lone.step([.submitted(command, deadline: .distantFuture)])
        lone.hear(.canvassed(round: 1, leader: progress, chosenThrough: .zero), from: 2)
        #expect(lone.replica.leader == ReplicaID(3))
        #expect(
            lone.outbox.send.contains {
                guard case .forward(ballot, _, 0, [command]) = $0.message else { return false }
                return $0.to == .replica(ReplicaID(2))
            })
        // A canvass of somebody else is not answered with what was only heard of.
        lone.hear(.canvass(round: 2, isUnserved: false), from: 2)
        #expect(lone.messages == [.canvassed(round: 2, leader: nil, chosenThrough: .zero)])

        var between = LoneReplica()
        between.hear(.heartbeat(progress), from: 3)
        for (sender, isPassedOn) in [(2, true), (3, false)] as [(UInt64, Bool)] {
            let forwarded = Command(
                id: CommandID(origin: ReplicaID(2), sequence: 1), footprint: .everything,
                payload: [])
            let message = Message.forward(
                ballot: ballot, boot: 1, position: 0, commands: [forwarded])
            between.hear(message, from: sender)
            #expect(between.messages == (isPassedOn ? [message] : []))
        }
    }

    /// A candidate hears of a leader of a higher ballot from a third before a majority has promised:
    /// its campaign is over, whatever promises still arrive.
    @Test func aCandidateThatHearsOfAHigherLeaderGivesUp() {
        var lone = LoneReplica(count: 5)
        while !lone.messages.contains(where: { if case .canvass = $0 { true } else { false } }) {
            lone.pass(.milliseconds(10))
        }
        for peer in [2, 3] as [UInt64] {
            lone.hear(.canvassed(round: 1, leader: nil, chosenThrough: .zero), from: peer)
        }
        lone.sync()
        let ballot = Ballot(1, of: 1)
        #expect(lone.messages == [.prepare(ballot: ballot, from: first)])
        let progress = Progress(
            ballot: Ballot(1, of: 5), chosenThrough: .zero, recoveredThrough: .zero)
        lone.hear(.canvassed(round: 1, leader: progress, chosenThrough: .zero), from: 4)
        let promise = Promise(ballot: ballot, chosenThrough: .zero, accepted: [])
        for peer in [2, 3] as [UInt64] { lone.hear(.promise(promise), from: peer) }
        #expect(!lone.replica.isLeading)
        #expect(lone.replica.leader == ReplicaID(5))
    }

    /// A leader that says that it does not hear this replica gets its commands through another.
    @Test func whoIsNotHeardAsksForAnotherWay() {
        let ballot = Ballot(1, of: 3)
        let progress = Progress(
            ballot: ballot, chosenThrough: .zero, recoveredThrough: .zero)
        var lone = LoneReplica()
        lone.hear(.heartbeat(progress), .unheard(ballot: ballot), from: 3)
        #expect(lone.messages.contains { if case .canvass = $0 { true } else { false } })
        // It is no way to the leader for others.
        lone.hear(.canvass(round: 2, isUnserved: false), from: 2)
        #expect(lone.messages.isEmpty)
        lone.hear(.canvassed(round: 2, leader: progress, chosenThrough: .zero), from: 2)
        let command = Command(
            id: CommandID(origin: ReplicaID(1), sequence: 1), footprint: .everything, payload: [])
        lone.step([.submitted(command, deadline: .distantFuture)])
        #expect(lone.outbox.send.map(\.to) == [.replica(ReplicaID(2))])
    }

    /// What one replica does not deliver is asked of the next, though only the first is known to
    /// have it: the link from it may lose every answer.
    @Test func whatIsMissedIsAskedOfAllInTurn() {
        var lone = LoneReplica()
        var asked: [Destination] = []
        lone.hear(.heartbeat(Ballot(1, of: 2), chosenThrough: 5), from: 2)
        for _ in 0..<3 {
            asked += lone.outbox.send.filter { $0.message == .fetch(from: first) }.map(\.to)
            lone.pass(.milliseconds(200))
        }
        #expect(asked == [2, 3, 2].map { .replica(ReplicaID($0)) })
    }

    // MARK: A lost state

    /// The acceptor of a replica that lost its state remembers its votes; the learner executes
    /// nothing, and nobody leads without a state.
    @Test func whoLacksItsStateVotesAndDoesNotLearn() {
        var restored = Replica.Restored()
        restored.chosenThrough = Slot(9)
        restored.lacksState = true
        var lone = LoneReplica(restored: restored)
        let ballot = Ballot(1, of: 2)
        lone.hear(.accept(ballot: ballot, slot: Slot(10), entry: .noop), from: 2)
        #expect(lone.messages == [.accepted(ballot: ballot, first: Slot(10), last: Slot(10))])
        lone.hear(.heartbeat(ballot, chosenThrough: 10), from: 2)
        #expect(lone.outbox.learned.isEmpty)
        lone.step([.installed(through: Slot(9))])
        #expect(lone.outbox.learned.map(\.slot) == [Slot(10)])
    }

    @Test func whoLacksItsStateDoesNotCampaign() {
        var restored = Replica.Restored()
        restored.chosenThrough = Slot(9)
        restored.lacksState = true
        var lone = LoneReplica(restored: restored)
        for _ in 0..<100 {
            lone.pass(.milliseconds(10))
            guard case .canvass(let round, _)? = lone.messages.first else { continue }
            lone.hear(.canvassed(round: round, leader: nil, chosenThrough: .zero), from: 2)
            #expect(lone.outbox.persist.isEmpty)
        }
        #expect(lone.replica.promised == .zero)
    }

    /// Nobody speaks for another replica's ballot.
    @Test func onlyItsReplicaUsesABallot() {
        var lone = LoneReplica()
        lone.hear(.prepare(ballot: Ballot(5, of: 2), from: first), from: 3)
        // Another replica may propose in a slot that is granted to it, but not abandon one.
        let abandoning = Ballot(5, of: 2).abandoning
        lone.hear(.accept(ballot: abandoning, slot: first, entry: .noop), from: 3)
        lone.hear(.heartbeat(Ballot(5, of: 2)), from: 3)
        #expect(lone.replica.promised == .zero)
        #expect(lone.replica.leader == nil)
    }

    /// A stale leader is told of the higher ballot and steps down, without campaigning at once.
    @Test func aRefusedLeaderStepsDownAndBacksOff() {
        var (lone, ballot) = settledLeader()
        lone.hear(.nack(promised: Ballot(ballot.round + 1, of: 2)), from: 2)
        #expect(!lone.replica.isLeading)
        #expect(lone.messages.isEmpty)
        #expect(lone.outbox.wakeAt >= lone.now + LoneReplica.timing.backOff)
        lone.hear(.nack(promised: Ballot(ballot.round + 1, of: 2)), from: 3)
        #expect(lone.messages.isEmpty, "no campaign on the heels of a refusal")
    }

    /// A refusal at a lower ballot is old news.
    @Test func anOldRefusalChangesNothing() {
        var (lone, ballot) = settledLeader()
        lone.hear(.nack(promised: ballot), from: 2)
        #expect(lone.replica.isLeading)
    }

    /// After a restart the ballot promised to itself is not used again.
    @Test func aBallotIsNotUsedAgainAfterARestart() {
        var lone = LoneReplica()
        let before = lone.lead()
        var restored = Replica.Restored()
        restored.promised = before
        var restarted = LoneReplica(restored: restored, boot: 2)
        #expect(restarted.lead() > before)
    }

    /// A leader without a majority steps down, so that those who hear it look for another.
    @Test func aLeaderWithoutAMajorityStepsDown() {
        var (lone, _) = settledLeader()
        lone.pass(LoneReplica.timing.election)
        #expect(!lone.replica.isLeading)
    }

    /// A fetched entry is no promise: one at its ballot goes to the disk like any other.
    @Test func aPromiseThatAFetchedEntrySuggestsIsWritten() {
        var restored = Replica.Restored()
        restored.promised = Ballot(1, of: 2)
        restored.accepted = [
            SlotAccepted(slot: first, accepted: Accepted(ballot: Ballot(2, of: 3), entry: .noop))
        ]
        var lone = LoneReplica(restored: restored)
        lone.hear(.prepare(ballot: Ballot(2, of: 2), from: first), from: 2)
        #expect(lone.messages == [.nack(promised: Ballot(2, of: 3))])
        lone.hear(.prepare(ballot: Ballot(2, of: 3), from: first), from: 3)
        #expect(lone.outbox.persist == [.promised(Ballot(2, of: 3))])
        lone.hear(.prepare(ballot: Ballot(2, of: 3), from: first), from: 3)
        #expect(lone.outbox.persist.isEmpty)
    }

    // MARK: Recovery

    /// The next slot after a failover lies above everything that anyone may have voted for.
    @Test func newSlotsLieAboveEverythingAnOlderLeaderUsed() {
        var lone = LoneReplica()
        let entry = Entry([command(9, from: 2)])
        let voted = SlotAccepted(
            slot: Slot(3), accepted: Accepted(ballot: Ballot(0, of: 2), entry: entry))
        let ballot = lone.lead(promising: [voted])
        lone.step([.submitted(command(1), deadline: .distantFuture)])
        #expect(proposed(lone).isEmpty, "nothing new before all that was recovered is executed")
        lone.sync()
        let end = Slot(UInt64(3 + Limits.window))
        lone.hear(.accepted(ballot: ballot, first: first, last: end), from: 2)
        lone.sync()
        lone.hear(.accepted(ballot: ballot, first: first, last: end), from: 2)
        #expect(lone.outbox.learned.last?.slot == end || lone.replica.chosenThrough == end)
        let slots = lone.messages.compactMap { message -> Slot? in
            if case .accept(_, let slot, let entry) = message, !entry.isNoop { slot } else { nil }
        }
        #expect(slots == [end.next])
    }

    /// Own commands are handed over once, when the leader's own stream is open.
    @Test func aLeaderProposesItsOwnCommandsOnce() {
        var lone = LoneReplica()
        // A follower first, with a stream to another leader.
        lone.hear(.heartbeat(Ballot(1, of: 2)), from: 2)
        lone.step([.submitted(command(1), deadline: .distantFuture)])
        lone.step([.disconnected(ReplicaID(2))])
        let ballot = lone.lead()
        lone.step([.submitted(command(2), deadline: .distantFuture)])
        #expect(proposed(lone).isEmpty)
        lone.sync()
        let end = Slot(UInt64(Limits.window))
        lone.hear(.accepted(ballot: ballot, first: first, last: end), from: 3)
        #expect(proposed(lone) == [1, 2])
    }

    /// While nothing is chosen, entries grow with what is in flight: a long round trip sees few
    /// slots. None of the commands is left behind when it ends.
    @Test func entriesGrowWithWhatIsInFlight() {
        var (lone, ballot) = settledLeader()
        var entries: [[UInt64]] = []
        for sequence in UInt64(1)...400 {
            lone.step([.submitted(command(sequence), deadline: .distantFuture)])
            if !proposed(lone).isEmpty { entries.append(proposed(lone)) }
            lone.sync()
            if !proposed(lone).isEmpty { entries.append(proposed(lone)) }
        }
        #expect(entries.first == [1])
        #expect(entries.count < 30)
        let slots = Slot(UInt64(Limits.window + entries.count))
        lone.hear(.accepted(ballot: ballot, first: first, last: slots), from: 2)
        #expect(lone.replica.chosenThrough == slots)
        entries.append(proposed(lone))
        #expect(entries.flatMap { $0 } == Array(1...400))
    }

    /// A candidate learns what those who promised have learned before it leads.
    @Test func aCandidateCatchesUpFirst() {
        var lone = LoneReplica()
        let ballot = lone.lead(chosenThrough: Slot(2))
        #expect(!lone.replica.isLeading)
        #expect(lone.messages == [.fetch(from: first)])
        let entries = [1, 2].map {
            Accepted(ballot: Ballot(0, of: 2), entry: Entry([command($0, from: 2)]))
        }
        lone.hear(.fetched(from: first, entries: entries, chosenThrough: Slot(2)), from: 2)
        #expect(lone.replica.isLeading)
        let slots = lone.messages.compactMap { message -> Slot? in
            if case .accept(ballot, let slot, _) = message { slot } else { nil }
        }
        #expect(slots.first == Slot(3))
    }

    /// More is recovered than a window holds: it is proposed as the window moves.
    @Test func recoveryKeepsToTheWindow() {
        let count = UInt64(Limits.acceptAhead + 10)
        var restored = Replica.Restored()
        restored.promised = Ballot(1, of: 2)
        restored.accepted = (1...count).map {
            SlotAccepted(
                slot: Slot($0), accepted: Accepted(ballot: Ballot(1, of: 2), entry: .noop))
        }
        var lone = LoneReplica(restored: restored)
        let ballot = lone.lead()
        var reached: UInt64 = 0
        for _ in 0..<1000 where reached < count {
            let slots = lone.messages.compactMap { message -> UInt64? in
                if case .accept(_, let slot, _) = message { slot.rawValue } else { nil }
            }
            guard let last = slots.last else { break }
            #expect(slots.count <= Limits.window)
            lone.sync()
            lone.hear(.accepted(ballot: ballot, first: first, last: Slot(last)), from: 2)
            reached = lone.replica.chosenThrough.rawValue
        }
        #expect(reached >= count)
    }

    // MARK: Forwarding

    /// A repeated forward is in a slot already; one that comes early is sent again later.
    @Test func forwardedCommandsAreProposedOnceAndInOrder() {
        var (lone, ballot) = settledLeader()
        func forward(_ position: UInt64, _ sequences: [UInt64], boot: UInt64 = 5) -> Message {
            .forward(
                ballot: ballot, boot: boot, position: position,
                commands: sequences.map { command($0, from: 2) })
        }
        lone.hear(forward(0, [1, 2]), from: 2)
        #expect(proposed(lone) == [1, 2])
        lone.sync()
        lone.hear(forward(0, [1, 2]), forward(1, [2]), from: 2)
        #expect(proposed(lone).isEmpty)
        lone.hear(forward(3, [4]), from: 2)
        #expect(proposed(lone).isEmpty, "a gap")
        lone.hear(forward(1, [2, 3, 4]), from: 2)
        #expect(proposed(lone) == [3, 4])
        lone.sync()
        lone.hear(
            .accepted(ballot: ballot, first: first, last: Slot(UInt64(Limits.window) + 2)), from: 3)
        // The origin restarted: its numbers begin anew, and late messages of before are void.
        lone.hear(forward(0, [10], boot: 6), from: 2)
        #expect(proposed(lone) == [10])
        lone.sync()
        lone.hear(forward(4, [5], boot: 5), from: 2)
        #expect(proposed(lone).isEmpty)
    }

    /// A new leader gets pending commands only when all that it recovered is executed here.
    @Test func commandsAreSentAgainWhenTheyCannotBeChosenAnyMore() {
        var lone = LoneReplica()
        lone.hear(.heartbeat(Ballot(1, of: 2)), from: 2)
        lone.step([.submitted(command(1), deadline: .distantFuture)])
        #expect(lone.messages.contains { if case .forward = $0 { true } else { false } })
        let next = Ballot(2, of: 3)
        lone.hear(.heartbeat(next, recoveredThrough: 1), from: 3)
        #expect(!lone.messages.contains { if case .forward = $0 { true } else { false } })
        // What was recovered is that very command: it is executed and not sent again.
        lone.hear(.accept(ballot: next, slot: first, entry: Entry([command(1)])), from: 3)
        lone.hear(.heartbeat(next, chosenThrough: 1, recoveredThrough: 1), from: 3)
        #expect(lone.outbox.learned.map(\.slot) == [first])
        #expect(!lone.messages.contains { if case .forward = $0 { true } else { false } })
    }

    // MARK: Strangers

    /// A message from nobody in the membership, or from oneself, changes nothing.
    @Test func strangersAreNotHeard() {
        var lone = LoneReplica()
        for peer in [0, 1, 4, 99] as [UInt64] {
            lone.hear(.prepare(ballot: Ballot(5, of: peer), from: first), from: peer)
            #expect(lone.messages.isEmpty)
        }
        #expect(lone.replica.promised == .zero)
    }
}
