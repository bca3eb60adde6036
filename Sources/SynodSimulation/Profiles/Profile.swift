import SynodBytes
import SynodPaxos

/// What kind of trouble a run is about.
package enum Profile: String, CaseIterable, Sendable {
    /// A random mixture of everything.
    case swarm
    /// Acceptors and learners that fail at every twentieth message, nine of them.
    case brief
    /// Many replicas campaigning and many clients on one key.
    case duel
    /// The graphs of partial connectivity.
    case partial
    /// Disks lost, rolled back and exchanged.
    case amnesia
    /// All replicas lose power at once.
    case powercut
    /// Slow and full disks.
    case slowdisk
    /// A proposer that stops for good with slots granted, and who notices.
    case stopped
    /// Slots that are abandoned before a few, who then die, while their proposers go on.
    case revived
    /// Many clients on one key, at replicas that propose as their governors like.
    case contention
    /// Reads, writes and transactions over links of differing speed, by key and in the order of slots.
    case mixed

    /// With fewer replicas there is nothing to see: with one there is nobody to disagree, and with two
    /// no majority is left when one stops.
    package var fewestReplicas: Int {
        switch self {
        case .swarm, .amnesia, .powercut, .slowdisk: 1
        case .brief, .duel, .partial, .contention, .mixed: 2
        case .stopped: 3
        case .revived: 5
        }
    }

    /// Whether its faults are drawn, so that they can be left out.
    package var drawsFaults: Bool {
        switch self {
        case .swarm, .amnesia, .powercut, .slowdisk, .revived: true
        case .brief, .duel, .partial, .stopped, .contention, .mixed: false
        }
    }

    /// Whether a run ends after some time.
    package var usesSeconds: Bool { drawsFaults }

    /// Whether it is about how many clients there are.
    package var usesClients: Bool {
        switch self {
        case .duel, .contention, .mixed: true
        case .swarm, .brief, .partial, .amnesia, .powercut, .slowdisk, .stopped, .revived: false
        }
    }

    /// Whether its clients stop after some requests.
    package var usesOperations: Bool { drawsFaults || self == .brief }

    /// Whether it is about slots that are granted, so that replicas other than the leader must propose.
    package var needsGrants: Bool { self == .stopped || self == .revived }

    /// Who proposes, if the profile is about that. Rounds per decision are counted where the leader
    /// alone does.
    var proposers: ProposerPolicy? {
        switch self {
        case .brief: .leader
        case .stopped, .mixed, .revived: .everyone
        case .contention: .automatic
        case .swarm, .duel, .partial, .amnesia, .powercut, .slowdisk: nil
        }
    }

    func adjust(_ plan: inout Plan) {
        let often = plan.timing.election * 4
        switch self {
        case .swarm: break
        case .brief:
            plan.keepOnly([])
            plan.replicas = plan.options.replicas ?? 9
            // Learners that lose their state replay the log, so all of it is kept.
            plan.snapshotCount = 1_000_000
            plan.span = .seconds(2_000)
        case .duel, .partial:
            plan.keepOnly([])
            plan.replicas = plan.options.replicas ?? max(plan.replicas, self == .duel ? 2 : 3)
        case .stopped, .contention:
            plan.keepOnly([])
            plan.replicas = plan.options.replicas ?? 9
        case .mixed:
            plan.keepOnly([])
            plan.replicas = plan.options.replicas ?? max(plan.replicas, 3)
        case .amnesia:
            plan.keepOnly([.n1, .n5, .n11, .d12])
            plan.enable([.d10, .d11, .p1, .p5, .d1, .d2], every: often)
            plan.replicas = plan.options.replicas ?? max(plan.replicas, 3)
            plan.snapshotCount = 5
            plan.chunkBytes = 64
        case .powercut:
            plan.keepOnly([.n1, .n2, .n3, .d9])
            plan.enable([.p3, .d1, .d2], every: often)
        case .revived:
            plan.keepOnly([])
            plan.enable([.g4, .d1])
            plan.replicas = plan.options.replicas ?? max(plan.replicas, 5)
            plan.span = .seconds(30)
        case .slowdisk:
            plan.keepOnly([.n1, .n3, .p1, .p4])
            plan.enable([.d8, .d9, .d1, .d2], every: often)
        }
    }

    /// - Parameter chance: the generator of what links are like.
    func adjust(_ link: inout LinkQuality, _ chance: inout PRNG) {
        switch self {
        case .contention:
            link.delay = .microseconds(chance.pick([300, 1000, 5000]))
            link.bytesPerSecond = chance.pick([10_000_000, 30_000_000])
        case .mixed, .revived:
            link.delay = .microseconds(chance.pick([300, 1000, 5000]))
            link.spread = link.delay
        case .swarm, .brief, .duel, .partial, .amnesia, .powercut, .slowdisk, .stopped: break
        }
    }

    func adjust(_ workload: inout Workload) {
        switch self {
        case .swarm, .amnesia, .powercut, .slowdisk: break
        case .brief:
            workload = Workload()
            workload.clients = 1
            workload.operations = 200
            workload.transactions = 0
            workload.reads = 0
            workload.ranges = 0
            workload.serializable = 0
            workload.compactions = 0
            workload.thinking = .seconds(20)
            workload.patience = .seconds(120)
            workload.retriesElsewhere = true
            workload.insists = true
        case .duel, .partial, .stopped, .contention, .mixed, .revived:
            workload = Workload()
            workload.clients = 4
            workload.keyCount = 1
            workload.patience = .seconds(30)
            workload.transactions = 0
            workload.reads = 0
            workload.ranges = 0
            workload.compactions = 0
            workload.operations = 1_000_000
            workload.thinking = .milliseconds(100)
        }
        switch self {
        case .contention:
            workload.deletions = 0
            workload.requestsPerKey = .max
            workload.thinking = .milliseconds(0)
        case .mixed:
            workload.keyCount = 100
            workload.requestsPerKey = 2000
            workload.transactions = 10
            workload.writesPairs = true
            workload.reads = 40
            workload.deletions = 0
            workload.serializable = 0
            workload.thinking = .milliseconds(0)
        case .revived:
            workload.clients = 16
            workload.keyCount = 30
            workload.reads = 30
            workload.ranges = 20
        case .swarm, .brief, .duel, .partial, .amnesia, .powercut, .slowdisk, .stopped: break
        }
    }
}
