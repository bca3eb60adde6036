import SynodBytes
import SynodNode
import SynodPaxos
import SynodStorage

/// The chance behind the faults that act: one generator for each, so that leaving one out shifts no
/// draw of the others. What it no longer does to the run changes what they meet.
final class Nemesis {
    let plan: Plan
    private var chances: [PRNG]
    /// Draws beside those of the faults that act: where blocks are damaged, and what becomes of starts.
    private var asides: PRNG
    /// Copies of disks, for putting them back later: by replica.
    var copies: [(disk: Disk, boot: UInt64)?]
    var isStopped = false

    init(for plan: Plan) {
        self.plan = plan
        chances = FaultID.allCases.map { plan.chance(for: $0) }
        asides = plan.chance(for: "asides")
        copies = Array(repeating: nil, count: plan.replicas)
    }

    func draw<Value>(_ fault: FaultID, _ body: (inout PRNG) -> Value) -> Value {
        body(&chances[fault.number])
    }

    func drawAside<Value>(_ body: (inout PRNG) -> Value) -> Value { body(&asides) }

    /// How long a replica is down.
    func outage() -> Interval { draw(.p1, outage) }

    /// How long it takes until one that could not start is started again.
    func patience() -> Interval { drawAside(outage) }

    private func outage(_ chance: inout PRNG) -> Interval {
        let mean = chance.pick([
            Interval.milliseconds(10), plan.timing.election, plan.timing.election * 5,
        ])
        return Interval.milliseconds(1) + min(chance.exponential(mean: mean), .seconds(30))
    }

    // MARK: Unlucky but legal choices (P9)

    /// Whether what came together is dealt with one by one.
    func splitsBatch() -> Bool { draw(.p9) { $0.chance(1, in: 8) } }

    /// How much longer a write takes.
    func dawdle(_ tally: inout FaultTally) -> Interval {
        guard draw(.p9, { $0.chance(1, in: 8) }) else { return Interval(nanoseconds: 0) }
        tally.fired(.p9)
        return draw(.p9) { $0.interval(below: .milliseconds(20)) }
    }

    /// Leaves out proposals to a replica that is not needed for a quorum.
    func choose(_ messages: [Bytes], of simulation: Simulation) -> [Bytes] {
        guard plan.isEnabled(.p9), !simulation.isSettling,
            messages.contains(where: { $0.first == MessageTag.accept }),
            draw(.p9, { $0.chance(1, in: 16) })
        else { return messages }
        simulation.tally.fired(.p9)
        return messages.filter { $0.first != MessageTag.accept }
    }

    // MARK: Disks

    /// A disk failed as it was told to. What a start finds missing, or is not its own, was counted when
    /// that happened.
    func diskFailed(_ error: StorageError, of disk: Disk, _ tally: inout FaultTally) {
        switch error.kind {
        case .corrupt: if disk.isDamaged { tally.fired(.d4) }
        case .full: tally.fired(.d8)
        case .io: tally.fired(error == Simulation.failedSync ? .d6 : .d3)
        case .unsuitable, .locked: break
        }
    }

    /// What strikes the next start, if anything does.
    func faultOfStart() -> FaultID? {
        let faults = [FaultID.d3, .d4, .d6, .d8].filter(plan.isEnabled)
        guard !faults.isEmpty, drawAside({ $0.chance(1, in: 4) }) else { return nil }
        return drawAside { $0.pick(faults) }
    }

    /// The disk as it was before the last writes; nil if there is no such copy.
    func olderCopy(of host: Host) -> Disk? { copies[host.index]?.disk.durableCopy() }

    // MARK: Crash points in recovery (P5)

    /// A replica has just started: it may die in its first steps.
    func startedCrashPoint(_ host: Host) {
        guard plan.isEnabled(.p5), !isStopped, draw(.p5, { $0.chance(1, in: 3) }) else { return }
        host.crashAfterEffects = draw(.p5) { $0.index(12) }
        host.crashFault = .p5
    }
}

/// What a replica's peer knows of it durably.
struct Introduction: Equatable {
    let incarnation: UInt64
    let boot: UInt64
}
