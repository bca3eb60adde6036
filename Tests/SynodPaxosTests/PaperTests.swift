import SynodBytes
import SynodPaxos
import Testing

/// One test for each sentence of *Paxos Made Simple* (Lamport, 2001) that constrains an
/// implementation.
struct PaperTests {
    private let low = Ballot(round: 1, replica: ReplicaID(1))
    private let middle = Ballot(round: 2, replica: ReplicaID(2))
    private let high = Ballot(round: 3, replica: ReplicaID(3))
    private let first = Slot(1)

    private func entry(_ letter: Character) -> Entry {
        Entry([
            Command(
                id: CommandID(origin: ReplicaID(1), sequence: UInt64(letter.asciiValue!)),
                footprint: .everything, payload: [letter.asciiValue!])
        ])
    }

    private func fresh() -> Acceptor {
        Acceptor(promised: .zero, chosenThrough: .zero, accepted: [])
    }

    private func promise(
        _ accepted: [(UInt64, Ballot, Entry)] = [], chosenThrough: UInt64 = 0
    ) -> Promise {
        Promise(
            ballot: high, chosenThrough: Slot(chosenThrough),
            accepted: accepted.map {
                SlotAccepted(slot: Slot($0.0), accepted: Accepted(ballot: $0.1, entry: $0.2))
            })
    }

    private func campaign(_ promises: [Promise]) -> Campaign {
        let later = Instant(nanoseconds: 1)
        var campaign = Campaign(
            round: 3, canvassInterval: .milliseconds(1), deadline: later, repeatAt: later)
        campaign.prepare(high)
        for (index, promise) in promises.enumerated() { campaign.promised(promise, by: index) }
        return campaign
    }

    // MARK: §2.2 Choosing a value

    private func announced(by ballot: Ballot) -> Progress {
        Progress(ballot: ballot, chosenThrough: Slot(1 << 30), recoveredThrough: .zero)
    }

    /// "P1. An acceptor must accept the first proposal that it receives."
    @Test func p1AnAcceptorAcceptsTheFirstProposal() {
        var acceptor = fresh()
        var outbox = Outbox()
        guard case .accepted = acceptor.accept(low, first, entry("a"), &outbox) else {
            Issue.record("refused")
            return
        }
        #expect(outbox.persist.contains(.accepted(first, Accepted(ballot: low, entry: entry("a")))))
        #expect(acceptor.entry(in: first, chosenBy: announced(by: low)) == entry("a"))
    }

    /// "P1a. An acceptor can accept a proposal numbered n iff it has not responded to a prepare
    /// request having a number greater than n."
    @Test func p1aAPromiseRefusesLowerBallotsInEverySlot() {
        var acceptor = fresh()
        var outbox = Outbox()
        _ = acceptor.prepare(middle, &outbox)
        for slot in [1, 7, 100] as [UInt64] {
            guard case .nack(middle) = acceptor.accept(low, Slot(slot), entry("a"), &outbox) else {
                Issue.record("slot \(slot) was accepted below the promise")
                continue
            }
            #expect(acceptor.entry(in: Slot(slot), chosenBy: announced(by: low)) == nil)
        }
        guard case .accepted = acceptor.accept(middle, first, entry("b"), &outbox) else {
            Issue.record("the promised ballot itself was refused")
            return
        }
    }

    /// P1a again: accepting is promising, so a lower ballot comes too late afterwards.
    @Test func p1aAcceptingImpliesPromising() {
        var acceptor = fresh()
        var outbox = Outbox()
        _ = acceptor.accept(middle, first, entry("a"), &outbox)
        #expect(acceptor.promised == middle)
        #expect(outbox.persist.first == .promised(middle))
        guard case .nack(middle) = acceptor.accept(low, Slot(2), entry("b"), &outbox),
            case .nack(middle) = acceptor.prepare(low, &outbox)
        else {
            Issue.record("a lower ballot was not refused")
            return
        }
    }

    /// "It receives a prepare request with number n greater than that of any prepare request to
    /// which it has already responded, then it responds with a promise not to accept any more
    /// proposals numbered less than n and with the highest-numbered proposal that it has accepted."
    @Test func aPromiseReportsTheHighestAcceptedProposal() {
        var acceptor = fresh()
        var outbox = Outbox()
        _ = acceptor.accept(low, first, entry("a"), &outbox)
        _ = acceptor.accept(middle, first, entry("b"), &outbox)
        _ = acceptor.accept(middle, Slot(3), entry("c"), &outbox)
        guard case .promise(let promise) = acceptor.prepare(high, &outbox) else {
            Issue.record("a higher ballot was refused")
            return
        }
        #expect(promise == self.promise([(1, middle, entry("b")), (3, middle, entry("c"))]))
        #expect(outbox.persist.last == .promised(high))
    }

    /// "An acceptor can ignore a prepare request for a proposal it has already responded to": it
    /// answers again instead, because the answer may have been lost, and writes nothing twice.
    @Test func aRepeatedPrepareIsAnsweredAgain() {
        var acceptor = fresh()
        var outbox = Outbox()
        guard case .promise(let one) = acceptor.prepare(low, &outbox),
            case .promise(let other) = acceptor.prepare(low, &outbox)
        else {
            Issue.record("a repeated prepare was refused")
            return
        }
        #expect(one == other)
        #expect(outbox.persist == [.promised(low)])
    }

    /// "It is probably a good idea to abandon a proposal if some proposer has begun trying to issue
    /// a higher-numbered one": the refusal tells the higher ballot.
    @Test func aRefusalTellsTheHigherBallot() {
        var acceptor = fresh()
        var outbox = Outbox()
        _ = acceptor.prepare(high, &outbox)
        guard case .nack(high) = acceptor.prepare(low, &outbox),
            case .nack(high) = acceptor.accept(middle, first, entry("a"), &outbox)
        else {
            Issue.record("a stale ballot was not told what was promised")
            return
        }
    }

    /// "P2a. If a proposal with value v is chosen, then every higher-numbered proposal accepted by
    /// any acceptor has value v."
    ///
    /// "P2b. … every higher-numbered proposal issued by any proposer has value v": whichever
    /// majority promises, the new leader finds the chosen entry.
    @Test func p2bEveryMajorityFindsWhatIsChosen() {
        // Chosen by 1 and 2 of 3 at the lower ballot; 3 never heard of it.
        let holder = promise([(1, low, entry("v"))])
        let stranger = promise()
        for majority in [[holder, holder], [holder, stranger], [stranger, holder]] {
            let recovery = campaign(majority).recovery(learnedThrough: .zero)
            #expect(recovery.entries.first == entry("v"))
        }
    }

    /// "P2c. For any v and n, if a proposal with value v and number n is issued, then there is a set
    /// S … such that … v is the value of the highest-numbered proposal among all proposals numbered
    /// less than n accepted by the acceptors in S."
    @Test func p2cTheHighestBallotWins() {
        let old = promise([(1, low, entry("o"))])
        let new = promise([(1, middle, entry("n"))])
        for promises in [[old, new], [new, old], [old, new, old]] {
            let recovery = campaign(promises).recovery(learnedThrough: .zero)
            #expect(recovery.entries.first == entry("n"))
        }
    }

    /// P2c, the other half: "… or (a) no acceptor in S has accepted any proposal": any value will
    /// do.
    @Test func p2cNothingAcceptedLeavesTheChoice() {
        let recovery = campaign([promise(), promise()]).recovery(learnedThrough: .zero)
        #expect(recovery.entries.allSatisfy { $0.isNoop })
    }

    /// "Any two majorities have at least one acceptor in common", for every size.
    @Test(arguments: 1...9)
    func anyTwoMajoritiesIntersect(count: Int) {
        let membership = Membership((1...count).map { ReplicaID(UInt64($0)) })
        let sets = (0..<1 << count).map { bits in
            var set = ReplicaSet()
            for index in 0..<count where bits & 1 << index != 0 { set.insert(index) }
            return (bits, set)
        }
        let quorums = sets.filter { membership.isQuorum($0.1) }.map(\.0)
        #expect(!quorums.isEmpty)
        let areDisjoint = quorums.contains { one in quorums.contains { one & $0 == 0 } }
        #expect(!areDisjoint)
        // Half of an even number misses the other half.
        #expect(quorums.allSatisfy { 2 * $0.nonzeroBitCount > count })
    }

    // MARK: §2.3 Learning a chosen value

    /// "A learner must find out that a proposal has been accepted by a majority of acceptors": what
    /// its own acceptor has at another ballot is not what was chosen.
    @Test func aLearnerTakesOnlyTheBallotThatWasChosen() {
        var acceptor = fresh()
        var outbox = Outbox()
        var learner = Learner(chosenThrough: .zero, lacksState: false, replicas: 3)
        _ = acceptor.accept(low, first, entry("a"), &outbox)
        learner.announce(Progress(ballot: middle, chosenThrough: first, recoveredThrough: first))
        learner.advance(&acceptor, &outbox)
        #expect(outbox.learned.isEmpty)
        _ = acceptor.accept(middle, first, entry("b"), &outbox)
        learner.advance(&acceptor, &outbox)
        #expect(outbox.learned == [Learned(slot: first, entry: entry("b"))])
    }

    // MARK: §2.4 Progress

    /// "Two proposers each keep issuing a sequence of proposals with increasing numbers, none of
    /// which are ever chosen": a lost campaign backs off, longer each time within bounds.
    @Test func aLostCampaignBacksOff() {
        let timing = Timing(heartbeat: .milliseconds(100), election: .milliseconds(1000))
        let start = Instant(nanoseconds: 0)
        var longest = Interval.milliseconds(0)
        for seed in 1...50 as ClosedRange<UInt64> {
            var election = Election(
                timing: timing, chance: PRNG(seed: seed), promised: .zero, now: start)
            for _ in 0..<20 {
                let span = election.backOff(start)
                #expect(election.suspectAt >= start + timing.backOff)
                #expect(span <= timing.election)
                longest = max(longest, span)
            }
        }
        #expect(longest > timing.election / 2)
    }

    // MARK: §2.5 The implementation

    /// "Different proposers choose their numbers from disjoint sets of numbers", each above all it
    /// has seen.
    @Test func ballotsOfDifferentReplicasDiffer() {
        let timing = Timing(heartbeat: .milliseconds(100), election: .milliseconds(1000))
        var seen: Set<Ballot> = []
        for replica in 1...9 as ClosedRange<UInt64> {
            var election = Election(
                timing: timing, chance: PRNG(seed: replica), promised: middle,
                now: Instant(nanoseconds: 0))
            for _ in 0..<5 {
                let ballot = election.nextBallot(ReplicaID(replica))
                #expect(ballot > middle)
                #expect(ballot.replica == ReplicaID(replica))
                #expect(seen.insert(ballot).inserted)
            }
        }
    }

    /// "An acceptor records its intended response in stable storage before actually sending the
    /// response", and a proposer "remembers (in stable storage) the highest-numbered proposal it has
    /// tried to issue".
    @Test func nothingIsPromisedOrPreparedBeforeItIsDurable() {
        var harness = LoneReplica()
        harness.hear(.prepare(ballot: middle, from: Slot(1)), from: 2)
        let promises = harness.outbox.send.filter {
            if case .promise = $0.message { true } else { false }
        }
        #expect(promises.count == 1)
        #expect(promises.allSatisfy { $0.afterTicket == harness.outbox.ticket })
        #expect(harness.outbox.persist == [.promised(middle)])

        harness.hear(.accept(ballot: middle, slot: first, entry: entry("a")), from: 2)
        let answers = harness.outbox.send.filter {
            if case .accepted = $0.message { true } else { false }
        }
        #expect(answers.map(\.afterTicket) == [harness.outbox.ticket])
    }

    // MARK: §3 Implementing a state machine

    /// "The leader … proposes … a special no-op command": gaps below something accepted are filled,
    /// in order, and what was accepted is proposed again at its place.
    @Test func gapsAreFilledWithNoops() {
        let promises = [
            promise([(3, low, entry("c"))]), promise([(5, low, entry("e"))]),
        ]
        let recovery = campaign(promises).recovery(learnedThrough: .zero)
        #expect(recovery.entries.prefix(5) == [.noop, .noop, entry("c"), .noop, entry("e")])
        #expect(recovery.chosenThrough == .zero)
    }

    /// "A newly chosen leader executes phase 1 for infinitely many instances": what was chosen
    /// already is not proposed again, least of all as a no-op.
    @Test func chosenSlotsAreNotProposedAgain() {
        let promises = [
            promise(chosenThrough: 4), promise([(2, low, entry("b")), (6, low, entry("f"))]),
        ]
        let campaign = campaign(promises)
        #expect(campaign.farthest.chosenThrough == Slot(4))
        let recovery = campaign.recovery(learnedThrough: Slot(4))
        #expect(recovery.chosenThrough == Slot(4))
        #expect(recovery.entries.prefix(2) == [.noop, entry("f")])
    }
}
