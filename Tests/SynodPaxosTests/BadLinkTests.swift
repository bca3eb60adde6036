import SynodPaxos
import Testing

/// Leaders over links that lose much: what is said again, and when such a leader is doubted. The test
/// plays every replica but the first.
struct BadLinkTests {
    private let leader = Ballot(1, of: 2)
    private let timing = LoneReplica.timing
    private let command = Command(
        id: CommandID(origin: ReplicaID(1), sequence: 1), footprint: .everything, payload: [1])

    /// The slots that a replica is asked to accept in the last step.
    private func proposed(_ lone: LoneReplica, to peer: UInt64) -> [UInt64] {
        lone.outbox.send.compactMap { envelope in
            guard envelope.to == .replica(ReplicaID(peer)),
                case .accept(_, let slot, _) = envelope.message
            else { return nil }
            return slot.rawValue
        }
    }

    private func accepted(_ ballot: Ballot, _ slots: ClosedRange<UInt64>) -> Message {
        .accepted(
            ballot: ballot, first: Slot(slots.lowerBound), last: Slot(slots.upperBound))
    }

    /// All is said again at first. A link that carries two messages at a time, and loses the others,
    /// gets few the next time, and then one for each that is answered.
    @Test func aNarrowLinkIsGivenWhatItCarries() {
        var lone = LoneReplica()
        let ballot = lone.lead()
        lone.sync()
        let all = Array(1...UInt64(Limits.window))
        lone.pass(timing.retransmission)
        #expect(proposed(lone, to: 2) == all)
        lone.hear(accepted(ballot, 1...2), from: 2)
        #expect(proposed(lone, to: 2).isEmpty)
        lone.pass(timing.retransmission)
        #expect(proposed(lone, to: 2) == Array(3...10))
        // Who answered nothing is left alone for longer.
        #expect(proposed(lone, to: 3).isEmpty)
        var next: UInt64 = 11
        for slot in stride(from: UInt64(3), to: 43, by: 2) {
            lone.hear(accepted(ballot, slot...slot + 1), from: 2)
            #expect(proposed(lone, to: 2) == [next, next + 1])
            next += 2
        }
    }

    /// Where half or more gets through, all that is left is said again at once, also when the lowest
    /// slot is not among it.
    @Test func aLinkThatLosesSomeIsGivenAll() {
        var lone = LoneReplica()
        let ballot = lone.lead()
        lone.sync()
        lone.pass(timing.retransmission)
        lone.hear(accepted(ballot, 2...UInt64(Limits.window) / 2 + 1), from: 2)
        lone.pass(timing.retransmission * 2)
        let left = Array(UInt64(Limits.window) / 2 + 2...UInt64(Limits.window))
        #expect(proposed(lone, to: 2) == [1] + left)
        for _ in 0..<2 {
            lone.hear(.heard(ballot: ballot), from: 2)
            lone.pass(timing.retransmission)
        }
        #expect(proposed(lone, to: 2) == [1] + left.prefix(7))
    }

    /// Who looks for a leader is none, whatever arrives that it said as one. That is forgotten after
    /// a while: the question may be the older one, from before a restart.
    @Test func whoAsksForALeaderLeadsNoMore() {
        var lone = LoneReplica()
        lone.hear(.heartbeat(leader), from: 2)
        #expect(lone.replica.leader == leader.replica)
        lone.hear(.canvass(round: 2, isUnserved: false), from: 2)
        #expect(
            lone.messages == [.canvassed(round: 2, leader: nil, chosenThrough: .zero)])
        lone.hear(.heartbeat(leader), from: 2)
        #expect(lone.replica.leader == nil)
        lone.hear(.canvass(round: 2, isUnserved: false), from: 3)
        #expect(lone.messages.contains(.canvassed(round: 2, leader: nil, chosenThrough: .zero)))
        lone.now = lone.now + timing.suspicion
        lone.hear(.heartbeat(leader), from: 2)
        #expect(lone.replica.leader == leader.replica)
    }

    /// One of five that has a command to say and cannot learn what its leader says is chosen, until it asks
    /// the others for another way.
    private func behind(receivingAt parts: [UInt64] = []) -> (lone: LoneReplica, after: Interval) {
        var lone = LoneReplica(count: 5, proposers: .leader)
        lone.step([.submitted(command, deadline: lone.now + timing.election * 100)])
        let start = lone.now
        while !lone.messages.contains(.canvass(round: 2, isUnserved: true)),
            lone.now.since(start) < timing.stall * 3
        {
            let span = lone.now.since(start).nanoseconds
            if parts.contains(span / timing.heartbeat.nanoseconds) { lone.step([.partReceived]) }
            lone.hear(.heartbeat(leader, chosenThrough: 5), from: 2)
            lone.pass(timing.heartbeat)
        }
        return (lone, lone.now.since(start))
    }

    /// Those who cannot learn what their leader says is chosen find it among themselves. Others, to
    /// whom the leader may be of use, do not count.
    @Test func whatCannotBeLearnedIsFoundAgain() {
        var (lone, after) = behind()
        #expect(after >= timing.stall && after < timing.stall + timing.heartbeat * 3)
        let (none, all) = (Slot.zero, Slot(5))
        lone.hear(.canvassed(round: 2, leader: nil, chosenThrough: all), from: 3)
        lone.hear(.canvassed(round: 2, leader: nil, chosenThrough: all), from: 4)
        lone.hear(.canvassed(round: 2, leader: nil, chosenThrough: none), from: 5)
        #expect(lone.outbox.persist.isEmpty)
        lone.hear(.canvassed(round: 2, leader: nil, chosenThrough: none), from: 2)
        #expect(!lone.outbox.persist.isEmpty)
    }

    /// As long as parts of a state arrive, nobody is unserved.
    @Test func aStateThatArrivesIsHeadway() {
        let (_, after) = behind(receivingAt: Array(0..<25))
        #expect(after >= timing.heartbeat * 24 + timing.stall)
    }

    /// Who lacks its state could not promise to who is behind, so it welcomes no such campaign.
    @Test func whoLacksItsStateStaysWithItsLeader() {
        var restored = Replica.Restored()
        restored.lacksState = true
        restored.chosenThrough = Slot(5)
        var lone = LoneReplica(restored: restored)
        lone.hear(.heartbeat(leader, chosenThrough: 5), from: 2)
        for _ in 0..<40 {
            lone.pass(timing.heartbeat)
            lone.hear(.heartbeat(leader, chosenThrough: 5), from: 2)
        }
        lone.hear(.canvass(round: 2, isUnserved: true), from: 3)
        guard case .canvassed(_, let progress?, _)? = lone.messages.first else {
            Issue.record("it is welcome")
            return
        }
        #expect(progress.ballot == leader)
    }

    /// A copy of an answer makes no room on the link.
    @Test func aCopyOfAnAnswerIsNoAnswer() {
        var lone = LoneReplica()
        let ballot = lone.lead()
        lone.sync()
        lone.pass(timing.retransmission)
        lone.hear(accepted(ballot, 1...2), from: 2)
        lone.pass(timing.retransmission)
        lone.hear(accepted(ballot, 3...4), from: 2)
        #expect(proposed(lone, to: 2) == [11, 12])
        lone.hear(accepted(ballot, 3...4), from: 2)
        #expect(proposed(lone, to: 2).isEmpty)
    }

    /// A leader that is lost and found again all the time, and serves nobody, is doubted as one that
    /// is heard without a break.
    @Test func aLeaderLostAndFoundServesNobodyEither() {
        var lone = LoneReplica(proposers: .leader)
        lone.hear(.heartbeat(leader), from: 2)
        lone.step([.submitted(command, deadline: lone.now + timing.election * 100)])
        let start = lone.now
        var isDoubted = false
        while !isDoubted, lone.now.since(start) < timing.stall * 2 {
            lone.pass(timing.suspicion + timing.suspicionSpread)
            isDoubted = lone.messages.contains(.canvass(round: 2, isUnserved: true))
            lone.hear(.heartbeat(leader), from: 2)
        }
        #expect(isDoubted)
        #expect(lone.now.since(start) >= timing.stall)
    }

    /// Who is not served by a leader that it hears asks at the pace of heartbeats: more would fill a narrow
    /// link to that leader.
    @Test func whoIsNotServedAsksAtThePaceOfHeartbeats() {
        var lone = LoneReplica(proposers: .leader)
        lone.hear(.heartbeat(leader), from: 2)
        lone.step([.submitted(command, deadline: lone.now + timing.election * 100)])
        let start = lone.now
        var asked = 0
        while lone.now.since(start) < timing.stall + .milliseconds(1_000) {
            lone.hear(.heartbeat(leader), from: 2)
            for _ in 0..<10 {
                lone.pass(.milliseconds(10))
                let asks = lone.messages.contains {
                    if case .canvass = $0 { true } else { false }
                }
                if asks { asked += 1 }
            }
        }
        #expect((1...10).contains(asked))
    }

    /// However often nothing was answered, what is in flight is sent again within two election timeouts.
    @Test func aLeaderNeverStopsRepeatingItself() {
        var lone = LoneReplica(count: 3)
        _ = lone.lead()
        lone.sync()
        var last = lone.now
        for _ in 0..<300 {
            lone.hear(.accepted(ballot: Ballot(1, of: 1), first: Slot(1), last: Slot(1)), from: 3)
            lone.pass(.milliseconds(50))
            if !proposed(lone, to: 2).isEmpty {
                #expect(lone.now.since(last) < timing.election * 2)
                last = lone.now
            }
        }
        #expect(lone.now.since(last) < timing.election * 2)
    }
}
