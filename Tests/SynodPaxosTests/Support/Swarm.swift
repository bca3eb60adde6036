import SynodBytes
import SynodPaxos

/// A cluster under a random mixture of faults, all of it drawn from one seed.
struct Swarm {
    let seed: UInt64
    let cluster: Cluster
    private var chance: PRNG
    private let faults: [Fault]
    /// Between two faults, at most.
    private let pace: Interval
    private let clientPace: Interval
    private var reads = 0

    enum Fault: CaseIterable {
        case crash, crashAll, restart, pause, resume, partition, isolateLeader, oneWay, graph, heal
        case reset
    }

    init(seed: UInt64, count: Int? = nil) {
        self.seed = seed
        var chance = PRNG(seed: seed)
        var options = Cluster.Options()
        options.seed = chance.next()
        options.count = count ?? [1, 2, 3, 3, 3, 3, 3, 4, 5, 5, 5, 6, 7, 9][Int(chance.below(14))]
        options.quality = Self.drawQuality(&chance)
        options.diskDelay = Interval(nanoseconds: 50_000 + chance.below(5_000_000))
        options.diskSpread = Interval(nanoseconds: chance.below(20_000_000))
        options.diskStalls = chance.chance(1, in: 4) ? 20 : 0
        options.stateKept = [0, 20, 300, 1000][Int(chance.below(4))]
        options.retained = chance.chance(1, in: 2) ? Int(chance.below(20)) : nil
        options.page = 1 + Int(chance.below(32))
        options.gathersInputs = chance.chance(1, in: 2)
        options.proposers = Self.drawProposers(options.count, seed)
        cluster = Cluster(options)
        // A different selection of faults for each seed finds more than all of them always.
        faults = Fault.allCases.filter { _ in chance.chance(1, in: 2) }
        pace = .milliseconds([30, 100, 300, 1000][Int(chance.below(4))])
        clientPace = .milliseconds([2, 10, 50][Int(chance.below(3))])
        self.chance = chance
    }

    /// The leader alone in a third of all runs, everyone in a third, and mixed.
    private static func drawProposers(_ count: Int, _ seed: UInt64) -> [ProposerPolicy] {
        var chance = PRNG(seed: mix64(seed))
        let kind = chance.below(3)
        return (0..<count).map { _ in
            switch kind {
            case 0: .leader
            case 1: .everyone
            default: chance.chance(1, in: 2) ? .leader : .everyone
            }
        }
    }

    private static func drawQuality(_ chance: inout PRNG) -> Network.Quality {
        var quality = Network.Quality()
        quality.delay = Interval(nanoseconds: 50_000 + chance.below(10_000_000))
        quality.spread = .milliseconds([0, 1, 30, 100][Int(chance.below(4))])
        quality.lost = [0, 0, 10, 50, 200][Int(chance.below(5))]
        quality.doubled = [0, 0, 50, 200][Int(chance.below(4))]
        quality.straggling = [0, 0, 10][Int(chance.below(3))]
        quality.reorders = chance.chance(1, in: 2)
        return quality
    }

    /// Why the run is wrong; nil if it is right.
    mutating func run(faultsFor span: Interval = .milliseconds(2000)) -> String? {
        let end = cluster.now + span
        var nextFault = cluster.now + .milliseconds(chance.below(500))
        var nextCall = cluster.now
        while cluster.now < end, cluster.checker.failure == nil {
            cluster.run(until: min(end, min(nextFault, nextCall)))
            if cluster.now >= nextFault {
                inject()
                nextFault = cluster.now + Interval(nanoseconds: 1 + chance.below(pace.nanoseconds))
            }
            if cluster.now >= nextCall {
                call()
                let wait = 1 + chance.below(2 * clientPace.nanoseconds)
                nextCall = cluster.now + Interval(nanoseconds: wait)
            }
        }
        if let failure = cluster.checker.failure { return failure }
        return settle()
    }

    /// After the faults everything must come to rest: a new command of every replica included.
    private mutating func settle() -> String? {
        cluster.stabilize()
        var quality = cluster.network.quality
        quality.lost = min(quality.lost, 10)
        quality.straggling = 0
        cluster.network.quality = quality
        for index in cluster.hosts.indices {
            cluster.submit([UInt8(ascii: "z")], at: index, within: .milliseconds(1 << 30))
            cluster.read(at: index)
        }
        if !cluster.run(atMost: .milliseconds(30_000), until: { $0.isSettled }) {
            let status = cluster.status.joined(separator: "\n  ")
            return cluster.checker.failure ?? "not settled after 30 s:\n  \(status)"
        }
        return cluster.checker.failure
    }

    /// A client asks for something.
    private mutating func call() {
        let index = Int(chance.below(UInt64(cluster.options.count)))
        if chance.chance(1, in: 4) {
            reads += 1
            let key: Bytes? = reads % 3 == 0 ? nil : [UInt8(ascii: "a") + UInt8(reads % 26)]
            cluster.read(key, at: index)
        } else {
            let span = Interval.milliseconds(chance.chance(1, in: 4) ? chance.below(300) : 1 << 30)
            let letter = UInt8(ascii: "a") + UInt8(chance.below(26))
            // Some of them are uncertain: see `Cluster.submit`.
            let payload = Bytes(repeating: letter, count: letter % 5 == 0 ? 4 : 1)
            cluster.submit(payload, at: index, within: span)
        }
    }

    private mutating func inject() {
        guard !faults.isEmpty else { return }
        let count = cluster.options.count
        let victim = Int(chance.below(UInt64(count)))
        let other = Int(chance.below(UInt64(count)))
        switch faults[Int(chance.below(UInt64(faults.count)))] {
        case .crash: crash(victim)
        case .crashAll:
            if chance.chance(1, in: 4) { for index in 0..<count { crash(index) } }
        case .restart: if !cluster.hosts[victim].isUp { cluster.start(victim) }
        case .pause:
            cluster.pause(victim)
            let cluster = cluster
            let span = Interval.milliseconds(chance.below(2000))
            cluster.queue.push(.act { $0.resume(victim) }, at: cluster.now + span)
        case .resume: cluster.resume(victim)
        case .partition:
            let split = (0..<count).map { _ in chance.chance(1, in: 2) }
            cluster.network.partition([
                (0..<count).filter { split[$0] }, (0..<count).filter { !split[$0] },
            ])
        case .isolateLeader:
            for index in 0..<count where index != (cluster.leader ?? victim) {
                cluster.network.cutBoth(index, cluster.leader ?? victim)
            }
        case .oneWay: if victim != other { cluster.network.cut(from: victim, to: other) }
        case .graph: cluster.network.keepOnly(drawGraph(count))
        case .heal: cluster.network.heal()
        case .reset:
            if victim != other {
                cluster.disconnect(victim, from: other)
                cluster.connect(victim, to: other)
            }
        }
    }

    /// Crashes and, mostly, starts again after a while.
    private mutating func crash(_ index: Int) {
        let unsynced = cluster.hosts[index].disk.unsyncedCount
        cluster.crash(index, keeping: Int(chance.below(UInt64(unsynced) + 1)))
        guard !chance.chance(1, in: 4) else { return }
        let cluster = cluster
        let span = Interval.milliseconds(chance.below(500))
        cluster.queue.push(
            .act { if !$0.hosts[index].isUp { $0.start(index) } }, at: cluster.now + span)
    }

    /// A star, a chain or a ring.
    private mutating func drawGraph(_ count: Int) -> [(Int, Int)] {
        let hub = Int(chance.below(UInt64(count)))
        switch chance.below(3) {
        case 0: return (0..<count).filter { $0 != hub }.map { (hub, $0) }
        case 1: return (0..<count - 1).map { ($0, $0 + 1) }
        default: return (0..<count).map { ($0, ($0 + 1) % count) }
        }
    }
}
