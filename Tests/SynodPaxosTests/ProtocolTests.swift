import SynodBytes
import SynodPaxos
import Testing

/// The rules of the protocol beyond the paper, and the known ways to get them wrong. The test
/// plays every replica but the first, and the disk.
struct ProtocolTests {
    private let first = Slot(1)

    private func command(_ sequence: UInt64, from origin: UInt64 = 1) -> Command {
        Command(
            id: CommandID(origin: ReplicaID(origin), sequence: sequence), footprint: .key(1),
            payload: [UInt8(ascii: "c")])
    }

    private func ballot(_ round: UInt64, _ replica: UInt64) -> Ballot {
        Ballot(round: round, replica: ReplicaID(replica))
    }

    private func heartbeat(
        _ ballot: Ballot, chosenThrough: UInt64 = 0, recoveredThrough: UInt64 = 0
    ) -> Message {
        .heartbeat(
            Progress(
                ballot: ballot, chosenThrough: Slot(chosenThrough),
                recoveredThrough: Slot(recoveredThrough)))
    }

    /// Commands in the accepts of the last step, by sequence.
    private func proposed(_ lone: LoneReplica) -> [UInt64] {
        lone.messages.flatMap { message -> [UInt64] in
            guard case .accept(_, _, let entry) = message else { return [] }
            var sequences: [UInt64] = []
            entry.forEachCommand { id, _ in sequences.append(id.sequence) }
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
        guard case .canvass(let round)? = lone.messages.first else {
            Issue.record("no canvass")
            return
        }
        let welcome = Message.canvassed(round: round, hearsLeader: false)
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

        lone.step([.readRequested(ReadID(1))])
        guard case .readQuery(let number)? = lone.messages.first else {
            Issue.record("no question")
            return
        }
        let reply = Message.readReply(round: number, bound: .zero, chosenThrough: .zero)
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
        lone.hear(heartbeat(ballot(1, 2)), from: 2)
        lone.hear(.canvass(round: 2), from: 3)
        #expect(lone.messages == [.canvassed(round: 2, hearsLeader: true)])
        lone.step([.disconnected(ReplicaID(2))])
        lone.hear(.canvass(round: 2), from: 3)
        #expect(lone.messages.contains(.canvassed(round: 2, hearsLeader: false)))
    }

    /// Nobody speaks for another replica's ballot.
    @Test func onlyItsReplicaUsesABallot() {
        var lone = LoneReplica()
        lone.hear(.prepare(ballot: ballot(5, 2), from: first), from: 3)
        lone.hear(.accept(ballot: ballot(5, 2), slot: first, entry: .noop), from: 3)
        lone.hear(heartbeat(ballot(5, 2)), from: 3)
        #expect(lone.replica.promised == .zero)
        #expect(lone.replica.leader == nil)
    }

    /// A stale leader is told of the higher ballot and steps down, without campaigning at once.
    @Test func aRefusedLeaderStepsDownAndBacksOff() {
        var (lone, ballot) = settledLeader()
        lone.hear(.nack(promised: self.ballot(ballot.round + 1, 2)), from: 2)
        #expect(!lone.replica.isLeading)
        #expect(lone.messages.isEmpty)
        #expect(lone.outbox.wakeAt >= lone.now + LoneReplica.timing.backOff)
        lone.hear(.nack(promised: self.ballot(ballot.round + 1, 2)), from: 3)
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

    // MARK: Recovery

    /// The next slot after a failover lies above everything that anyone may have voted for.
    @Test func newSlotsLieAboveEverythingAnOlderLeaderUsed() {
        var lone = LoneReplica()
        let entry = Entry([command(9, from: 2)])
        let voted = SlotAccepted(
            slot: Slot(3), accepted: Accepted(ballot: ballot(0, 2), entry: entry))
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
        lone.hear(heartbeat(ballot(1, 2)), from: 2)
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

    /// A candidate learns what those who promised have learned before it leads.
    @Test func aCandidateCatchesUpFirst() {
        var lone = LoneReplica()
        let ballot = lone.lead(chosenThrough: Slot(2))
        #expect(!lone.replica.isLeading)
        #expect(lone.messages == [.fetch(from: first)])
        let entries = [1, 2].map {
            Accepted(ballot: self.ballot(0, 2), entry: Entry([command($0, from: 2)]))
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
        restored.promised = ballot(1, 2)
        restored.accepted = (1...count).map {
            SlotAccepted(
                slot: Slot($0), accepted: Accepted(ballot: self.ballot(1, 2), entry: .noop))
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
        lone.hear(heartbeat(ballot(1, 2)), from: 2)
        lone.step([.submitted(command(1), deadline: .distantFuture)])
        #expect(lone.messages.contains { if case .forward = $0 { true } else { false } })
        let next = ballot(2, 3)
        lone.hear(heartbeat(next, recoveredThrough: 1), from: 3)
        #expect(!lone.messages.contains { if case .forward = $0 { true } else { false } })
        // What was recovered is that very command: it is executed and not sent again.
        lone.hear(.accept(ballot: next, slot: first, entry: Entry([command(1)])), from: 3)
        lone.hear(heartbeat(next, chosenThrough: 1, recoveredThrough: 1), from: 3)
        #expect(lone.outbox.learned.map(\.slot) == [first])
        #expect(!lone.messages.contains { if case .forward = $0 { true } else { false } })
    }

    // MARK: Reads

    /// A read waits for what a majority may know to be chosen, and is released once that is
    /// executed here.
    @Test func aReadWaitsForItsBound() {
        var lone = LoneReplica()
        lone.step([.readRequested(ReadID(1)), .readRequested(ReadID(2))])
        guard case .readQuery(let round)? = lone.messages.first else {
            Issue.record("no question")
            return
        }
        #expect(lone.messages.count == 1, "reads share a round")
        lone.hear(.readReply(round: round, bound: first, chosenThrough: .zero), from: 2)
        #expect(lone.outbox.readable.isEmpty)
        let leader = ballot(1, 3)
        lone.hear(.accept(ballot: leader, slot: first, entry: .noop), from: 3)
        lone.hear(heartbeat(leader, chosenThrough: 1), from: 3)
        #expect(lone.outbox.readable == [ReadID(1), ReadID(2)])
    }

    /// An answer to an earlier question says nothing about a later read, not even over a restart.
    @Test func anAnswerToAnOldQuestionDoesNotCount() {
        var lone = LoneReplica()
        lone.step([.readRequested(ReadID(1))])
        guard case .readQuery(let round)? = lone.messages.first else { return }
        lone.hear(.readReply(round: round, bound: .zero, chosenThrough: .zero), from: 2)
        #expect(lone.outbox.readable == [ReadID(1)])
        lone.step([.readRequested(ReadID(2))])
        lone.hear(.readReply(round: round, bound: .zero, chosenThrough: .zero), from: 3)
        #expect(lone.outbox.readable.isEmpty)

        var restarted = LoneReplica(boot: 2)
        restarted.step([.readRequested(ReadID(1))])
        restarted.hear(.readReply(round: round, bound: .zero, chosenThrough: .zero), from: 3)
        #expect(restarted.outbox.readable.isEmpty)
    }

    /// An acceptor answers with what it accepted, but for entries of older ballots above the point
    /// to which its leader recovered: nobody will ever choose those.
    @Test func deadEntriesDoNotHoldReadsUp() {
        var lone = LoneReplica()
        let old = ballot(1, 2)
        for slot in 1...5 as ClosedRange<UInt64> {
            lone.hear(.accept(ballot: old, slot: Slot(slot), entry: .noop), from: 2)
        }
        func bound() -> Slot? {
            lone.hear(.readQuery(round: 1), from: 3)
            guard case .readReply(_, let bound, _)? = lone.messages.first else { return nil }
            return bound
        }
        #expect(bound() == Slot(5))
        lone.hear(heartbeat(ballot(2, 3), recoveredThrough: 3), from: 3)
        #expect(bound() == Slot(3))
        lone.hear(.accept(ballot: ballot(2, 3), slot: Slot(4), entry: .noop), from: 3)
        #expect(bound() == Slot(4))
    }

    /// A replica that stood still while another came to lead does not answer from its old state.
    @Test func noReadSpansAPauseUnnoticed() {
        for seed in 1...10 as ClosedRange<UInt64> {
            var options = Cluster.Options()
            options.seed = seed
            let cluster = Cluster(options)
            #expect(cluster.run(atMost: .milliseconds(10_000)) { $0.isSettled })
            let leader = cluster.leader!
            cluster.read(at: leader)
            cluster.pause(leader)
            cluster.run(for: .milliseconds(3_000))
            let other = (leader + 1) % 3
            cluster.submit([UInt8(ascii: "n")], at: other, within: .milliseconds(1 << 30))
            cluster.run(for: .milliseconds(1_000))
            #expect(cluster.hosts[other].waiting.isEmpty, "seed \(seed)")
            cluster.read(at: leader)
            cluster.resume(leader)
            #expect(cluster.run(atMost: .milliseconds(5_000)) { $0.isSettled })
            #expect(cluster.checker.failure == nil)
        }
    }

    // MARK: Strangers

    /// A message from nobody in the membership, or from oneself, changes nothing.
    @Test func strangersAreNotHeard() {
        var lone = LoneReplica()
        for peer in [0, 1, 4, 99] as [UInt64] {
            lone.hear(.prepare(ballot: ballot(5, peer), from: first), from: peer)
            #expect(lone.messages.isEmpty)
        }
        #expect(lone.replica.promised == .zero)
    }
}
