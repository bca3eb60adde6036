import SynodBytes
import SynodPaxos
import Testing

/// Whatever is lost or forgotten, the work goes on soon: one test for each way in which it might
/// not.
struct ProgressTests {
    private func settled(_ count: Int, seed: UInt64 = 1) -> (cluster: Cluster, leader: Int) {
        var options = Cluster.Options()
        options.count = count
        options.seed = seed
        let cluster = Cluster(options)
        #expect(cluster.run(atMost: .milliseconds(10_000)) { $0.isSettled })
        return (cluster, cluster.leader ?? 0)
    }

    private let forever = Interval.milliseconds(1 << 30)

    /// A lost accept is sent again although its acceptor answers all that come behind it.
    @Test func trafficDoesNotPutOffWhatWasLost() {
        let (cluster, leader) = settled(3)
        let other = (leader + 1) % 3
        cluster.crash((leader + 2) % 3)
        cluster.run(for: .milliseconds(20))
        cluster.network.cutBoth(leader, other)
        let command = cluster.submit([UInt8(ascii: "l")], at: leader, within: forever)!
        cluster.run(for: .milliseconds(5))
        cluster.network.heal()
        for _ in 0..<25 {
            cluster.submit([UInt8(ascii: "t")], at: leader, within: forever)
            cluster.run(for: .milliseconds(20))
        }
        #expect(cluster.checker.slot(of: command) != nil)
        #expect(cluster.checker.failure == nil)
    }

    /// Those who had learned an entry crash and no longer know that it is chosen; whoever leads
    /// then neither waits for them for ever nor loses it.
    @Test func knowledgeThatCrashedIsFoundAgain() {
        for seed in 1...10 as ClosedRange<UInt64> {
            let (cluster, leader) = settled(3, seed: seed)
            let behind = (leader + 1) % 3
            let knowing = (leader + 2) % 3
            for _ in 0..<5 {
                cluster.network.cutBoth(leader, behind)
                cluster.submit([UInt8(ascii: "k")], at: leader, within: forever)
                cluster.run(for: .milliseconds(20))
            }
            let known = cluster.checker.learnedThrough
            #expect(cluster.hosts[knowing].executedThrough == known)
            // Its state was never kept, so a restart knows of nothing that is chosen. It happens
            // right after the one who is behind has its promise.
            cluster.crash(leader)
            cluster.network.heal()
            _ = cluster.run(atMost: .milliseconds(5_000)) {
                $0.hosts[knowing].replica!.promised.replica == $0.hosts[behind].id
                    || $0.hosts[knowing].replica!.isLeading
            }
            cluster.run(for: .milliseconds(1))
            cluster.crash(knowing, keeping: 100)
            cluster.run(for: .milliseconds(5))
            cluster.start(knowing)
            #expect(cluster.run(atMost: .milliseconds(10_000)) { $0.isSettled })
            #expect(cluster.checker.learnedThrough >= known)
            #expect(cluster.checker.failure == nil)
        }
    }

    /// A replica that was away for longer than the log reaches back gets a state, and its clients
    /// are served again afterwards, on the same leader's stream.
    @Test func aStateInstalledUnderOneLeader() throws {
        var options = Cluster.Options()
        options.stateKept = 1000
        options.retained = 4
        let cluster = Cluster(options)
        #expect(cluster.run(atMost: .milliseconds(10_000)) { $0.isSettled })
        let leader = try #require(cluster.leader)
        let away = (leader + 1) % 3
        for _ in 0..<3 {
            cluster.submit([UInt8(ascii: "b")], at: away, within: forever)
            cluster.run(for: .milliseconds(50))
        }
        cluster.network.partition([[leader, (leader + 2) % 3], [away]])
        for _ in 0..<30 {
            cluster.submit([UInt8(ascii: "m")], at: leader, within: forever)
            cluster.run(for: .milliseconds(20))
        }
        let installs = Counter()
        cluster.log = { if $0.contains("installs") { installs.count += 1 } }
        cluster.stabilize()
        #expect(cluster.run(atMost: .milliseconds(5_000)) { $0.isSettled })
        #expect(installs.count == 1)
        #expect(cluster.leader == leader)
        let command = cluster.submit([UInt8(ascii: "a")], at: away, within: forever)!
        let isDone = cluster.run(atMost: .milliseconds(100)) {
            $0.checker.slot(of: command) != nil
        }
        #expect(isDone)
        #expect(cluster.checker.failure == nil)
    }

    private final class Counter { var count = 0 }

    /// The whole cluster loses power, with more chosen than a window holds and nobody knowing so.
    @Test(arguments: [1, 2, 3, 5])
    func theWholeClusterRestarts(count: Int) {
        var options = Cluster.Options()
        options.count = count
        options.stateKept = 0
        let cluster = Cluster(options)
        #expect(cluster.run(atMost: .milliseconds(10_000)) { $0.isSettled })
        for _ in 0..<300 {
            cluster.submit([UInt8(ascii: "w")], at: 0, within: forever)
            cluster.run(for: .milliseconds(8))
        }
        #expect(cluster.run(atMost: .milliseconds(10_000)) { $0.isSettled })
        let known = cluster.checker.learnedThrough
        #expect(known.rawValue > UInt64(4 * Limits.window))
        for index in 0..<count { cluster.crash(index) }
        cluster.run(for: .milliseconds(100))
        for index in 0..<count { cluster.start(index) }
        let isSettled = cluster.run(atMost: .milliseconds(10_000)) {
            $0.isSettled && $0.hosts[0].executedThrough > known
        }
        #expect(isSettled)
        #expect(cluster.checker.failure == nil)
    }

    /// A replica far behind does not lead before it has caught up, though a majority promised.
    @Test func whoIsFarBehindCatchesUpFirst() throws {
        var options = Cluster.Options()
        options.stateKept = 0
        let cluster = Cluster(options)
        #expect(cluster.run(atMost: .milliseconds(10_000)) { $0.isSettled })
        let leader = try #require(cluster.leader)
        let behind = (leader + 1) % 3
        cluster.network.partition([[leader, (leader + 2) % 3], [behind]])
        for _ in 0..<Limits.acceptAhead + 100 {
            cluster.submit([UInt8(ascii: "f")], at: leader, within: forever)
            cluster.run(for: .milliseconds(5))
        }
        cluster.crash(leader)
        cluster.stabilize()
        cluster.crash(leader)
        #expect(cluster.run(atMost: .milliseconds(20_000)) { $0.isSettled })
        #expect(cluster.hosts[behind].executedThrough.rawValue > UInt64(Limits.acceptAhead))
        #expect(cluster.checker.failure == nil)
    }

    /// A process that is killed costs its cluster milliseconds, for its connections are reset.
    @Test func aKilledLeaderCostsLessThanATimeout() {
        for seed in 1...20 as ClosedRange<UInt64> {
            let (cluster, leader) = settled(3, seed: seed)
            let witness = (leader + 1) % 3
            cluster.crash(leader)
            let command = cluster.submit([UInt8(ascii: "q")], at: witness, within: forever)!
            let isDone = cluster.run(atMost: .milliseconds(150)) {
                $0.checker.slot(of: command) != nil
            }
            #expect(isDone, "seed \(seed)")
            #expect(cluster.checker.failure == nil)
        }
    }

    /// A majority needs a disk that takes longer than an election timeout: the candidates give each
    /// other and themselves more and more time, until one has all its promises.
    @Test(arguments: [3, 5])
    func aLeaderIsFoundThoughAPromiseTakesLong(count: Int) {
        for seed in 1...10 as ClosedRange<UInt64> {
            var options = Cluster.Options()
            options.count = count
            options.seed = seed
            options.slowDisks = [count / 2: options.timing.election * 3 / 2]
            let cluster = Cluster(options)
            for index in (count / 2 + 1)..<count { cluster.crash(index) }
            let command = cluster.submit([UInt8(ascii: "s")], at: 0, within: forever)!
            let isDone = cluster.run(atMost: .milliseconds(20_000)) {
                $0.checker.slot(of: command) != nil
            }
            #expect(isDone, "seed \(seed)")
            #expect(cluster.checker.failure == nil)
        }
    }

    /// One candidate gets no promises, whatever it sends: the others do not wait for it for ever.
    @Test(arguments: [3, 5, 7])
    func aCandidateWithoutPromisesIsPassedOver(count: Int) {
        for seed in 1...30 as ClosedRange<UInt64> {
            let (cluster, leader) = settled(count, seed: seed)
            let unlucky = (leader + 1) % count
            cluster.loses = { message, _, to in
                if case .promise = message { to == unlucky } else { false }
            }
            cluster.crash(leader)
            let command = cluster.submit(
                [UInt8(ascii: "u")], at: (leader + 2) % count, within: forever)!
            let isDone = cluster.run(atMost: .milliseconds(4_000)) {
                $0.checker.slot(of: command) != nil
            }
            #expect(isDone, "seed \(seed)")
            #expect(cluster.checker.failure == nil)
        }
    }

    /// Every replica in turn crashes at many points of a short history, having lost all that was
    /// not synced or nothing of it.
    @Test(arguments: [0, 100])
    func aCrashAtManyPoints(keeping: Int) {
        for victim in 0..<3 {
            for point in stride(from: 0, to: 490, by: 15) {
                var options = Cluster.Options()
                options.stateKept = 500
                let cluster = Cluster(options)
                cluster.run(for: .milliseconds(14))
                for index in 0..<3 {
                    cluster.submit([UInt8(ascii: "p")], at: index, within: forever)
                    cluster.read(at: index)
                }
                // From the first canvass to the last answer.
                cluster.run(events: point)
                cluster.crash(victim, keeping: keeping)
                cluster.run(for: .milliseconds(30))
                cluster.start(victim)
                let isSettled = cluster.run(atMost: .milliseconds(10_000)) { $0.isSettled }
                #expect(isSettled, "replica \(victim + 1), after \(point) events")
                #expect(cluster.checker.failure == nil)
            }
        }
    }
}
