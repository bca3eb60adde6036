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

    /// Those who cannot learn what their leader says is chosen find it among themselves, unless one of
    /// them can tell: then the leader may be of use to the others.
    @Test(arguments: [0, 5])
    func whatCannotBeLearnedIsFoundAgain(elsewhere: UInt64) {
        var lone = LoneReplica(proposers: .leader)
        lone.step([.submitted(command, deadline: lone.now + timing.election * 100)])
        let start = lone.now
        let question = Message.canvass(round: 2, isUnserved: true)
        while !lone.messages.contains(question), lone.now.since(start) < timing.stall * 2 {
            lone.hear(.heartbeat(leader, chosenThrough: 5), from: 2)
            lone.pass(timing.heartbeat)
        }
        #expect(lone.messages.contains(question))
        #expect(lone.now.since(start) >= timing.stall)
        lone.hear(
            .canvassed(round: 2, leader: nil, chosenThrough: Slot(elsewhere)), from: 3)
        #expect(lone.outbox.persist.isEmpty == (elsewhere > 0))
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
}
