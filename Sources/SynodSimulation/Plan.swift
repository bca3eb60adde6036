import SynodBytes
import SynodNode
import SynodPaxos

/// Everything that a seed decides about a run before it begins.
struct Plan {
    let options: RunOptions
    var replicas: Int
    var timing: Timing
    var snapshotCount: UInt64 = 1000
    /// By replica: how many times as long its log gets. What one has cut off another still has.
    private var logFactors: [UInt64] = []
    /// By replica: who proposes what its clients write.
    private var proposers: [ProposerPolicy] = []
    /// States here are small; in many messages they take as long as large ones do elsewhere.
    var chunkBytes = NodeLimits.chunkBytes
    /// How long faults are injected, at most.
    var span: Interval
    var workload = Workload()
    var link = LinkQuality()
    var disk = DiskQuality()
    /// Between something happening to a replica and the step that deals with it: what comes
    /// within this time is dealt with together.
    var turnLatency = Interval(nanoseconds: 0)
    /// Events that wait for a step, beyond which requests are refused and messages lost.
    var inboxCapacity = 65_536
    /// Whether faults of disks hit states as well as logs.
    private(set) var strikesStates = false
    /// Whether they hit processes that start, too.
    private(set) var strikesStarts = false
    /// By ``FaultID/number``.
    private var isEnabled = [Bool](repeating: false, count: FaultID.allCases.count)
    /// By ``FaultID/number``: the mean time between two acts of the fault.
    private var paces = [Interval](repeating: .seconds(5), count: FaultID.allCases.count)

    /// Generators of the parts of a run, so that a draw in one shifts nothing in another.
    var hostChance: PRNG
    var networkChance: PRNG
    var diskChance: PRNG
    var clientChance: PRNG

    init(_ options: RunOptions) {
        self.options = options
        var chance = PRNG(seed: mix64(options.seed ^ 0x5157_1000))
        hostChance = chance.fork()
        networkChance = chance.fork()
        diskChance = chance.fork()
        clientChance = chance.fork()
        var shape = chance.fork()
        var selection = chance.fork()
        replicas = shape.pick([1, 2, 3, 3, 3, 3, 3, 4, 5, 5, 5, 6, 7, 8, 9])
        if let count = options.replicas { replicas = count }
        timing = Timing(heartbeat: .milliseconds(100), election: .milliseconds(1000))
        span = Self.span(of: replicas) / 4 * shape.pick([2, 4, 8])
        draw(&selection)
        options.profile.adjust(&self)
        for fault in options.without { isEnabled[fault.number] = false }
        if isEnabled(.p10) { drawSettings(&shape) }
        let variesLogs = isEnabled(.p10) || options.profile == .amnesia
        logFactors = (0..<replicas).map { _ in variesLogs ? shape.pick([1, 1, 8]) : 1 }
        link = LinkQuality(for: self, &networkChance)
        options.profile.adjust(&link, &networkChance)
        disk = DiskQuality(for: self, &diskChance)
        workload = Workload(for: self, &clientChance)
        if isEnabled(.p8) { inboxCapacity = 4 + hostChance.index(60) }
        turnLatency = .microseconds(hostChance.pick([0, 0, 20, 200, 2000]))
        if let seconds = options.seconds { span = .seconds(seconds) }
        if let count = options.operations { workload.operations = count }
        drawProposers(&chance)
        strikesStates = chance.chance(1, in: 2)
        strikesStarts = chance.chance(1, in: 2)
    }

    /// In a third of all runs the leader alone, in a third everyone, in a third as it comes, some as
    /// their governors decide, unless the profile is about one of these.
    private mutating func drawProposers(_ chance: inout PRNG) {
        let common: ProposerPolicy? = chance.pick([.leader, .everyone, nil])
        let drawn = (0..<replicas).map { _ in chance.pick(ProposerPolicy.allCases) }
        let fixed = options.proposers ?? options.profile.proposers ?? common
        proposers = drawn.map { fixed ?? $0 }
        workload.alternatesSizes =
            options.profile.drawsFaults && proposers.contains(.automatic)
    }

    func proposers(at index: Int) -> ProposerPolicy { proposers[index] }

    /// A random subset finds more than everything always: a fault hides what another would show.
    private mutating func draw(_ chance: inout PRNG) {
        for fault in FaultID.allCases {
            isEnabled[fault.number] = chance.chance(1, in: 3)
            paces[fault.number] = timing.election * chance.pick([1, 3, 10, 30])
        }
    }

    /// Timeouts from a twentieth to twenty times of the usual, and states shipped all the time.
    private mutating func drawSettings(_ chance: inout PRNG) {
        let election: UInt64 = chance.pick([50, 100, 300, 1000, 3000, 20_000])
        timing = Timing(
            heartbeat: .milliseconds(max(5, election / chance.pick([4, 10, 20]))),
            election: .milliseconds(election))
        snapshotCount = chance.pick([5, 20, 100, 1000])
        span = Interval(nanoseconds: span.nanoseconds / 100_000_000 * timing.heartbeat.nanoseconds)
        span = max(.seconds(3), min(span, .seconds(3_000)))
        chunkBytes = chance.pick([64, 512, 4096, NodeLimits.chunkBytes])
    }

    /// Replicas talk to each other all the time: what many of them do takes longer to find out.
    private static func span(of replicas: Int) -> Interval {
        let seconds: [UInt64] = [1000, 300, 120, 80, 60, 40, 30, 25, 20]
        return .seconds(seconds[replicas - 1])
    }

    func snapshotCount(of index: Int) -> UInt64 { snapshotCount * logFactors[index] }

    // MARK: Faults

    func isEnabled(_ fault: FaultID) -> Bool { isEnabled[fault.number] }

    func pace(of fault: FaultID) -> Interval { paces[fault.number] }

    /// Leaves the named faults only.
    mutating func keepOnly(_ faults: [FaultID]) {
        for fault in FaultID.allCases where !faults.contains(fault) {
            isEnabled[fault.number] = false
        }
    }

    mutating func enable(_ faults: [FaultID], every pace: Interval? = nil) {
        for fault in faults {
            isEnabled[fault.number] = true
            if let pace { paces[fault.number] = pace }
        }
    }

    var enabled: [FaultID] { FaultID.allCases.filter(isEnabled) }

    /// A generator for one fault alone: without another fault, its acts are drawn as before. What links,
    /// disks and workloads are like is drawn in turn, so that there one fault shifts the next.
    func chance(for fault: FaultID) -> PRNG { chance(for: fault.rawValue) }

    /// A generator of its own for what is drawn beside everything else.
    func chance(for purpose: String) -> PRNG {
        PRNG(seed: mix64(options.seed &+ stableHash(purpose.utf8)))
    }
}
