import SynodBytes
import SynodPaxos
import Testing

/// Many proposers: replicas that write in slots of their own, and die with them.
struct ProposerTests {
    private func cluster(_ count: Int, seed: UInt64 = 1) -> (cluster: Cluster, leader: Int) {
        var options = Cluster.Options()
        options.count = count
        options.seed = seed
        options.proposers = Array(repeating: .everyone, count: count)
        let cluster = Cluster(options)
        #expect(cluster.run(atMost: .milliseconds(10_000)) { $0.isSettled })
        return (cluster, cluster.leader ?? 0)
    }

    private func submit(_ cluster: Cluster, at index: Int) -> CommandID {
        cluster.submit([UInt8(ascii: "p")], at: index, within: .milliseconds(1 << 30))!
    }

    private func isExecuted(_ cluster: Cluster, _ command: CommandID, within span: UInt64) -> Bool {
        cluster.run(atMost: .milliseconds(span)) { $0.checker.slot(of: command) != nil }
    }

    /// What its clients write goes from a replica straight to the acceptors, and not by the leader.
    @Test(arguments: [2, 3, 5, 9])
    func everyoneProposes(count: Int) {
        let (cluster, leader) = cluster(count)
        var proposed: Set<Int> = []
        cluster.loses = { message, from, _ in
            if case .accept(let ballot, _, let entry) = message, !entry.isNoop {
                #expect(ballot.replica == cluster.hosts[leader].id)
                proposed.insert(from)
            }
            if case .forward = message { Issue.record("\(from + 1) forwards") }
            return false
        }
        for index in 0..<count {
            let command = submit(cluster, at: index)
            #expect(isExecuted(cluster, command, within: 100))
        }
        #expect(proposed == Set(0..<count))
        #expect(cluster.checker.failure == nil)
    }

    /// A proposer dies with a grant, or with its entry accepted somewhere: its slot is finished in
    /// bounded time, everybody executes the same, and the others go on.
    @Test(arguments: [3, 5])
    func aProposerThatDiesHoldsUpNobodyForLong(count: Int) {
        // To how many acceptors its entry gets: none, a minority, a majority without the leader.
        for reached in 0...(count / 2 + 1) {
            let (cluster, leader) = cluster(count)
            let dying = (leader + 1) % count
            let others = (0..<count).filter { $0 != dying && $0 != leader }
            cluster.loses = { message, from, to in
                guard case .accept = message, from == dying else { return false }
                return !others.prefix(reached).contains(to)
            }
            _ = submit(cluster, at: dying)
            cluster.run(for: .milliseconds(20))
            cluster.crash(dying)
            cluster.loses = { _, _, _ in false }
            let command = submit(cluster, at: others[0])
            #expect(
                isExecuted(cluster, command, within: 600), "\(reached) of \(count) were reached")
            #expect(cluster.hosts[leader].replica!.isLeading)
            cluster.start(dying)
            #expect(cluster.run(atMost: .milliseconds(5_000)) { $0.isSettled })
            #expect(cluster.checker.failure == nil)
        }
    }

    /// The leader has the entry, and its proposer dies: the leader sees to the rest.
    @Test func theLeaderFinishesWhatItHas() {
        let (cluster, leader) = cluster(3)
        let dying = (leader + 1) % 3
        cluster.loses = { message, from, to in
            guard case .accept = message else { return false }
            return from == dying && to != leader
        }
        let command = submit(cluster, at: dying)
        cluster.run(for: .milliseconds(20))
        cluster.crash(dying)
        #expect(isExecuted(cluster, command, within: 1_000))
        #expect(cluster.checker.failure == nil)
    }

    /// A slow proposer's entry comes when its slot is abandoned: it proposes it again elsewhere, and
    /// it is executed once.
    @Test func anAbandonedEntryIsProposedAgain() {
        let (cluster, leader) = cluster(3)
        let slow = (leader + 1) % 3
        var held: [(message: Message, to: Int)] = []
        cluster.loses = { message, from, to in
            guard case .accept(let ballot, _, _) = message, from == slow, ballot.attempt == 0,
                held.count < 4
            else { return false }
            held.append((message, to))
            return true
        }
        let command = submit(cluster, at: slow)
        #expect(isExecuted(cluster, command, within: 2_000))
        for late in held { cluster.transmit(late.message, from: slow, to: late.to) }
        cluster.run(for: .milliseconds(1_000))
        let next = submit(cluster, at: slow)
        #expect(isExecuted(cluster, next, within: 1_000))
        #expect(cluster.checker.failure == nil)
    }

    /// A slot whose entry does not come is abandoned in time, though its proposer goes on in others.
    @Test func aSlotThatWasPassedOverIsAbandoned() {
        let (cluster, leader) = cluster(3)
        let proposer = (leader + 1) % 3
        var lost: Slot?
        cluster.loses = { message, from, _ in
            guard case .accept(_, let slot, _) = message, from == proposer else { return false }
            if lost == nil { lost = slot }
            return slot == lost
        }
        let command = submit(cluster, at: proposer)
        for _ in 0..<12 {
            cluster.run(for: .milliseconds(100))
            _ = submit(cluster, at: proposer)
        }
        #expect(cluster.checker.slot(of: command) != nil)
        #expect(cluster.checker.failure == nil)
    }

    /// Whoever accepted an entry before its slot was abandoned does not take it for what was chosen.
    @Test func whatWasAbandonedIsNotLearned() {
        let (cluster, leader) = cluster(3)
        let (dying, misled) = ((leader + 1) % 3, (leader + 2) % 3)
        cluster.loses = { message, from, to in
            switch message {
            case .accept(let ballot, _, _):
                // It hears of the entry, and not of the no-op in its place.
                from == dying && to == leader
                    || from == leader && to == misled && ballot.attempt == 1
            default: false
            }
        }
        let abandoned = submit(cluster, at: dying)
        cluster.run(for: .milliseconds(10))
        cluster.crash(dying)
        cluster.run(for: .milliseconds(1_000))
        cluster.start(dying)
        let command = submit(cluster, at: misled)
        #expect(isExecuted(cluster, command, within: 2_000))
        cluster.loses = { _, _, _ in false }
        #expect(cluster.run(atMost: .milliseconds(5_000)) { $0.isSettled })
        #expect(cluster.checker.slot(of: abandoned) == nil)
        #expect(cluster.checker.failure == nil)
    }

    /// The leader dies with grants outstanding: another one finds out what became of them.
    @Test(arguments: [3, 5])
    func aLeaderDiesWithGrantsOutstanding(count: Int) {
        for seed in 1...10 as ClosedRange<UInt64> {
            let (cluster, leader) = cluster(count, seed: seed)
            let commands = (0..<count).filter { $0 != leader }.map { submit(cluster, at: $0) }
            cluster.run(for: Interval(nanoseconds: 700_000 * seed))
            cluster.crash(leader)
            for command in commands { #expect(isExecuted(cluster, command, within: 5_000)) }
            #expect(cluster.checker.failure == nil)
        }
    }

    /// A proposer that starts again is not given once more what it has used and forgotten.
    @Test func aUsedGrantIsNotGivenAgainAfterARestart() {
        let (cluster, leader) = cluster(3)
        let dying = (leader + 1) % 3
        // The leader has the entry and does not get it chosen.
        cluster.loses = { message, from, to in
            switch message {
            case .accept: from != dying || to != leader
            case .accepted: to == leader
            default: false
            }
        }
        _ = submit(cluster, at: dying)
        cluster.run(for: .milliseconds(20))
        cluster.crash(dying)
        cluster.start(dying)
        let command = submit(cluster, at: dying)
        cluster.run(for: .milliseconds(500))
        cluster.loses = { _, _, _ in false }
        #expect(isExecuted(cluster, command, within: 5_000))
        #expect(cluster.checker.failure == nil)
    }

    /// What others propose by themselves does not hold up the little that the leader proposes.
    @Test func smallCommandsDoNotWaitForLargeOnes() {
        var options = Cluster.Options()
        options.proposers = Array(repeating: .automatic, count: 3)
        options.quality.delay = .milliseconds(20)
        let cluster = Cluster(options)
        #expect(cluster.run(atMost: .milliseconds(10_000)) { $0.isSettled })
        let (leader, busy) = (cluster.leader!, (cluster.leader! + 1) % 3)
        let large = Bytes(repeating: 7, count: 100_000)
        for small in [leader, (leader + 2) % 3] {
            for _ in 0..<100 {
                cluster.submit(large, at: busy, within: .milliseconds(1 << 30))
                cluster.run(for: .milliseconds(5))
            }
            let command = submit(cluster, at: small)
            var isDone = false
            for _ in 0..<60 where !isDone {
                cluster.submit(large, at: busy, within: .milliseconds(1 << 30))
                isDone = isExecuted(cluster, command, within: 5)
            }
            #expect(isDone, "replica \(small + 1)")
        }
    }

    /// Who does not hear the leader is granted nothing that it would not use.
    @Test func whoDoesNotHearTheLeaderIsGrantedNothing() {
        let (cluster, leader) = cluster(3)
        let (deaf, witness) = ((leader + 1) % 3, (leader + 2) % 3)
        cluster.network.cut(from: leader, to: deaf)
        _ = submit(cluster, at: deaf)
        cluster.run(for: .milliseconds(2_000))
        var slowest: Interval = .milliseconds(0)
        for _ in 0..<20 {
            let before = cluster.now
            let command = submit(cluster, at: witness)
            #expect(isExecuted(cluster, command, within: 2_000))
            slowest = max(slowest, cluster.now.since(before))
            cluster.run(for: .milliseconds(50))
        }
        #expect(slowest < .milliseconds(100), "\(slowest)")
        #expect(cluster.checker.failure == nil)
    }

    /// The words of a deposed leader grant nothing.
    @Test func aGrantOfAnOlderBallotIsOfNoUse() {
        var proposer = Proposer()
        var outbox = Outbox()
        let now = Instant(nanoseconds: 1)
        let commands = (1...2 as ClosedRange<UInt64>).map {
            Command(
                id: CommandID(origin: ReplicaID(1), sequence: $0), footprint: .everything,
                payload: [])
        }
        func ask(for command: Int) {
            proposer.ask(
                for: [commands[command]], boot: 1, now, retransmission: .milliseconds(100),
                &outbox)
        }
        func granted(_ slot: UInt64, for batch: UInt64, _ ballot: Ballot) -> [Command]? {
            let isInTime = proposer.granted(
                Slot(slot), nil, for: batch, at: ballot, chosenThrough: Slot(3))
            #expect(isInTime == (slot > 3))
            let granted = proposer.nextGranted()
            #expect(granted == nil || granted?.slot == Slot(slot))
            return granted?.commands
        }
        proposer.open(Ballot(2, of: 2))
        ask(for: 0)
        #expect(granted(5, for: 1, Ballot(1, of: 2)) == nil)
        #expect(granted(5, for: 1, Ballot(2, of: 2)) == [commands[0]])
        // Not the same again, nor what was not asked for or is decided.
        ask(for: 1)
        #expect(granted(5, for: 1, Ballot(2, of: 2)) == nil)
        #expect(granted(6, for: 3, Ballot(2, of: 2)) == nil)
        #expect(granted(3, for: 2, Ballot(2, of: 2)) == nil)
        #expect(granted(6, for: 2, Ballot(2, of: 2)) == [commands[1]])
    }
}
