import SynodBytes
import SynodPaxos
import Testing

/// Progress under partial connectivity: the graphs of *Omni-Paxos* (EuroSys 2023, §2), on which
/// other protocols elect for ever, and some more. Whoever is connected to the leader and a majority
/// must get a command through, in bounded time, wherever the hub stands in the order of identities.
struct ConnectivityTests {
    /// Counts campaigns, so that a livelock shows even where it makes progress now and then.
    private func settled(
        _ count: Int, delay: UInt64 = 20, seed: UInt64 = 1
    ) -> (cluster: Cluster, leader: Int) {
        var options = Cluster.Options()
        options.count = count
        options.seed = seed
        options.quality.delay = .milliseconds(delay)
        options.quality.spread = .milliseconds(delay)
        let cluster = Cluster(options)
        #expect(cluster.run(atMost: .milliseconds(10_000)) { $0.isSettled })
        return (cluster, cluster.leader ?? 0)
    }

    /// A command submitted at the replica is executed there within the span.
    private func expectProgress(
        of cluster: Cluster, at index: Int, within span: UInt64 = 3_000, _ what: Comment
    ) {
        let command = cluster.submit([UInt8(ascii: "p")], at: index, within: .milliseconds(1 << 30))
        let isDone = cluster.run(atMost: .milliseconds(span)) {
            $0.checker.slot(of: command!) != nil
        }
        #expect(isDone, what)
        #expect(cluster.checker.failure == nil)
    }

    /// A command submitted at the replica is executed there while another one is served all the time.
    private func expectProgress(
        of cluster: Cluster, at index: Int, while served: Int, _ what: Comment
    ) {
        let command = cluster.submit([1], at: index, within: .milliseconds(1 << 30))
        var isDone = false
        for _ in 0..<80 where !isDone {
            cluster.submit([2], at: served, within: .milliseconds(1 << 30))
            isDone = cluster.run(atMost: .milliseconds(100)) {
                $0.checker.slot(of: command!) != nil
            }
        }
        #expect(isDone, what)
        #expect(cluster.checker.failure == nil)
    }

    /// The leader has lost everybody but the hub, and everybody knows only the hub.
    @Test(arguments: [3, 4, 5, 6, 7, 9])
    func quorumLoss(count: Int) {
        for seed in 1...2 as ClosedRange<UInt64> {
            for hub in 0..<count {
                let (cluster, leader) = settled(count, seed: seed)
                if hub == leader { continue }
                cluster.network.keepOnly((0..<count).map { (hub, $0) }.filter { $0.0 != $0.1 })
                expectProgress(of: cluster, at: hub, "hub \(hub + 1) of \(count), seed \(seed)")
            }
        }
    }

    /// The leader is gone, and the only one who reaches a majority is behind in its log.
    @Test(arguments: [5, 7, 9])
    func constrainedElection(count: Int) {
        for hub in 0..<count {
            let (cluster, leader) = settled(count)
            if hub == leader { continue }
            // The hub misses some commands.
            for index in 0..<count where index != hub { cluster.network.cutBoth(hub, index) }
            for _ in 0..<10 {
                cluster.submit([UInt8(ascii: "m")], at: leader, within: .milliseconds(1 << 30))
                cluster.run(for: .milliseconds(50))
            }
            let others = (0..<count).filter { $0 != hub && $0 != leader }
            cluster.network.keepOnly(others.map { (hub, $0) })
            expectProgress(of: cluster, at: hub, "hub \(hub + 1) of \(count)")
        }
    }

    /// In a chain, whose ends do not hear each other, the leader is not deposed by an end that
    /// does not hear it.
    @Test(arguments: [3, 5])
    func chainedReplicasKeepTheirLeader(count: Int) {
        for seed in 1...3 as ClosedRange<UInt64> {
            let (cluster, leader) = settled(count, seed: seed)
            let far = (leader + 1) % count
            cluster.network.cutBoth(leader, far)
            let before = cluster.hosts[leader].replica!.promised
            cluster.run(for: .milliseconds(10_000))
            #expect(cluster.hosts[leader].replica!.isLeading)
            #expect(cluster.hosts[leader].replica!.promised == before)
            expectProgress(of: cluster, at: leader, "seed \(seed)")
        }
    }

    /// All but one of a majority are cut off from the leader, who keeps his own: each of them is
    /// served through the one between, and he is not deposed.
    @Test(arguments: [3, 4, 5, 7, 9])
    func whoDoesNotReachTheLeaderIsServedThroughOthers(count: Int) {
        for seed in 1...2 as ClosedRange<UInt64> {
            let (cluster, leader) = settled(count, seed: seed)
            let hub = (leader + 1) % count
            let others = (0..<count).filter { $0 != leader && $0 != hub }
            let far = others.prefix(count - (count / 2 + 1))
            for index in far { cluster.network.cutBoth(leader, index) }
            let before = cluster.hosts[leader].replica!.promised
            for index in far {
                expectProgress(of: cluster, at: index, "replica \(index + 1) of \(count)")
            }
            #expect(cluster.hosts[leader].replica!.isLeading)
            #expect(cluster.hosts[leader].replica!.promised == before)
        }
    }

    /// Who hears the leader and is not heard by it is served, too.
    @Test(arguments: [3, 5])
    func whoIsNotHeardByTheLeaderIsServedThroughOthers(count: Int) {
        let (cluster, leader) = settled(count)
        for mute in 0..<count where mute != leader {
            cluster.network.heal()
            cluster.network.cut(from: mute, to: leader)
            expectProgress(of: cluster, at: mute, "replica \(mute + 1) of \(count)")
            #expect(cluster.hosts[leader].replica!.isLeading)
        }
    }

    /// The way to the leader is cut as well, and another one is found.
    @Test func anotherWayIsFound() {
        let (cluster, leader) = settled(5)
        let others = (0..<5).filter { $0 != leader }
        let far = others[0]
        for relay in others[1...] {
            cluster.network.heal()
            for other in 0..<5 where other != far && other != relay {
                cluster.network.cutBoth(far, other)
            }
            expectProgress(of: cluster, at: far, "through \(relay + 1)")
        }
    }

    /// A link that passes heartbeats and loses commands, though the leader does not say so: another
    /// way is found, and the leader, who serves others, stays.
    @Test(arguments: [3, 5, 7])
    func whoseCommandsGetLostIsServedThroughOthers(count: Int) {
        let (cluster, leader) = settled(count)
        let (mute, witness) = ((leader + 1) % count, (leader + 2) % count)
        cluster.loses = { message, from, to in
            guard case .forward = message else { return false }
            return from == mute && to == leader
        }
        expectProgress(of: cluster, at: mute, while: witness, "\(count) replicas")
        #expect(cluster.hosts[leader].replica!.isLeading)
        #expect(cluster.checker.failure == nil)
    }

    /// Of those who hear the leader, all but one lose what is sent to it: they are tried in turn.
    @Test func everyWayIsTried() {
        let (cluster, leader) = settled(6)
        let others = (0..<6).filter { $0 != leader }
        for good in others.dropFirst() {
            cluster.loses = { message, from, to in
                guard case .forward = message else { return false }
                return from != good && to == leader
            }
            expectProgress(of: cluster, at: others[0], while: good, "through \(good + 1)")
            #expect(cluster.hosts[leader].replica!.isLeading)
        }
    }

    /// The only way to the leader was of no use for a while, and what waited has long been given up:
    /// the leader is followed that way again.
    @Test func aWayOfWhichNothingCameIsTriedAgain() {
        let (cluster, leader) = settled(3)
        let (hub, far) = ((leader + 1) % 3, (leader + 2) % 3)
        cluster.network.cutBoth(leader, far)
        #expect(cluster.run(atMost: .milliseconds(3_000)) { $0.hosts[far].replica!.leader != nil })
        cluster.loses = { message, from, _ in
            guard case .forward = message else { return false }
            return from == far
        }
        cluster.submit([UInt8(ascii: "g")], at: far, within: .milliseconds(2_200))
        let isLost = cluster.run(atMost: .milliseconds(3_000)) {
            $0.hosts[far].replica!.leader == nil
        }
        #expect(isLost, "nothing comes of \(hub + 1)")
        cluster.loses = { _, _, _ in false }
        let isBack = cluster.run(atMost: .milliseconds(8_000)) {
            $0.hosts[far].replica!.leader == $0.hosts[leader].replica!.leader
        }
        #expect(isBack)
        expectProgress(of: cluster, at: far, "through \(hub + 1)")
    }

    /// A leader whose heartbeats arrive and whose proposals do not, as behind a link that drops
    /// what is large, keeps nobody waiting for ever.
    @Test(arguments: [3, 4, 5, 7])
    func aLeaderWhoBringsNothingForwardIsReplaced(count: Int) {
        let (cluster, leader) = settled(count)
        cluster.loses = { message, from, _ in
            guard case .accept = message else { return false }
            return from == leader
        }
        for index in 0..<count where index != leader {
            expectProgress(of: cluster, at: index, within: 5_000, "replica \(index + 1)")
        }
        #expect(!cluster.hosts[leader].replica!.isLeading)
    }

    /// Long silence is no reason to doubt a leader: one that was cut off with something to say,
    /// and comes back, does not depose him though nothing was chosen meanwhile.
    @Test func whoComesBackWithACommandDeposesNobody() {
        let (cluster, leader) = settled(5)
        let away = (leader + 1) % 5
        for index in 0..<5 where index != away { cluster.network.cutBoth(index, away) }
        let command = cluster.submit([1], at: away, within: .milliseconds(1 << 30))
        cluster.run(for: .milliseconds(20_000))
        let before = cluster.hosts[leader].replica!.promised
        cluster.network.heal()
        let isDone = cluster.run(atMost: .milliseconds(3_000)) {
            $0.checker.slot(of: command!) != nil
        }
        #expect(isDone)
        #expect(cluster.hosts[leader].replica!.promised == before)
    }

    /// A leader who hears everybody and is heard by one alone is of no use: the others go on
    /// without him, though the one who hears him did not doubt him.
    @Test(arguments: [4, 5, 7])
    func aLeaderWhomFewHearGivesUp(count: Int) {
        for hearer in 0..<count {
            let (cluster, leader) = settled(count)
            if hearer == leader { continue }
            for index in 0..<count where index != leader && index != hearer {
                cluster.network.cut(from: leader, to: index)
            }
            expectProgress(of: cluster, at: hearer, "only \(hearer + 1) of \(count) hears him")
            #expect(!cluster.hosts[leader].replica!.isLeading)
        }
    }

    /// A replica that is heard by all and hears nobody disturbs nobody.
    @Test(arguments: [3, 4, 5])
    func aReplicaThatHearsNobodyDoesNotDisturb(count: Int) {
        for deaf in 0..<count {
            let (cluster, _) = settled(count)
            for index in 0..<count where index != deaf {
                cluster.network.cut(from: index, to: deaf)
            }
            let witness = (deaf + 1) % count
            expectProgress(of: cluster, at: witness, "deaf \(deaf + 1) of \(count)")
            let round = cluster.hosts[witness].replica!.round
            cluster.run(for: .milliseconds(5_000))
            expectProgress(of: cluster, at: witness, within: 1_000, "deaf \(deaf + 1) of \(count)")
            #expect(cluster.hosts[witness].replica!.round == round)
        }
    }

    /// Every replica sees another majority: a ring of five.
    @Test func aRingOfMajorities() {
        for seed in 1...3 as ClosedRange<UInt64> {
            let (cluster, leader) = settled(5, seed: seed)
            cluster.network.keepOnly((0..<5).map { ($0, ($0 + 1) % 5) })
            cluster.run(for: .milliseconds(3_000))
            expectProgress(of: cluster, at: cluster.leader ?? leader, "seed \(seed)")
        }
    }

    /// Half of an even number is no majority, half and one is.
    @Test(arguments: [2, 4, 6])
    func evenNumbers(count: Int) {
        let (cluster, _) = settled(count)
        let half = Array(0..<count / 2)
        cluster.network.partition([half, Array(count / 2..<count)])
        let before = cluster.checker.learnedThrough
        cluster.run(for: .milliseconds(3_000))
        let afterCut = cluster.checker.learnedThrough
        for index in 0..<count {
            cluster.submit([UInt8(ascii: "x")], at: index, within: .milliseconds(1 << 30))
        }
        cluster.run(for: .milliseconds(10_000))
        #expect(cluster.checker.learnedThrough == afterCut)
        #expect(afterCut == before)
        cluster.network.partition([Array(0...count / 2), Array(count / 2 + 1..<count)])
        expectProgress(of: cluster, at: 0, "half and one of \(count)")
        cluster.stabilize()
        #expect(cluster.run(atMost: .milliseconds(10_000)) { $0.isSettled })
        #expect(cluster.checker.failure == nil)
    }

    /// Everybody campaigns at the same moment: one leader within a few seconds, and he stays.
    @Test(arguments: Array(2...9))
    func duellingCandidates(count: Int) {
        for seed in 1...3 as ClosedRange<UInt64> {
            let (cluster, _) = settled(count, seed: seed)
            for one in 0..<count {
                for other in 0..<count where one != other { cluster.disconnect(one, from: other) }
            }
            cluster.run(for: .milliseconds(60))
            let isSettled = cluster.run(atMost: .milliseconds(5_000)) { $0.isSettled }
            #expect(isSettled, "\(count) candidates, seed \(seed)")
            // Promises that are on their way may depose one whom everybody follows at this moment.
            cluster.run(for: .milliseconds(500))
            let leader = cluster.leader
            cluster.run(for: .milliseconds(5_000))
            #expect(cluster.leader == leader, "\(count) candidates, seed \(seed)")
            #expect(cluster.checker.failure == nil)
        }
    }
}
