import SynodBytes
import SynodPaxos

/// The `brief` profile's faults: an acceptor or learner fails at every twentieth message that it
/// handles, in one of six ways, all equally likely.
final class BriefFaults {
    enum Kind: String, CaseIterable {
        case requestLost = "request dropped"
        case replyLost = "reply dropped"
        case diesBefore = "crash before the write"
        case diesAfter = "crash after the write"
        case stalls = "late reply"
        /// Only of a learner.
        case forgets = "state lost"
    }

    private var chance: PRNG
    private(set) var counts = [UInt64](repeating: 0, count: Kind.allCases.count)
    /// Messages handled.
    private(set) var handled: UInt64 = 0
    /// By replica: how many of its next answers do not get through.
    private var muted: [Int]
    private var dies: [Bool]

    init(chance: PRNG, count: Int) {
        self.chance = chance
        muted = Array(repeating: 0, count: count)
        dies = Array(repeating: false, count: count)
    }

    /// Whether what arrives is to be handed on. Messages that travel together are one: the entries
    /// that a new leader proposes at once are written and answered at once.
    func meets(_ messages: [Bytes], at host: Host, _ simulation: Simulation) -> Bool {
        let isLearners = messages.contains {
            $0.first == MessageTag.chosen || $0.first == MessageTag.fetched
        }
        let isAcceptors = messages.contains {
            $0.first == MessageTag.prepare || $0.first == MessageTag.accept
        }
        guard isLearners || isAcceptors, !simulation.isSettling else { return true }
        handled += 1
        guard chance.chance(1, in: 20) else { return true }
        let kinds = isAcceptors ? Kind.allCases.filter { $0 != .forgets } : Kind.allCases
        let kind = chance.pick(kinds)
        counts[Kind.allCases.firstIndex(of: kind)!] += 1
        simulation.note("\(host.name): \(kind.rawValue)")
        return inflict(kind, host, simulation)
    }

    private func inflict(_ kind: Kind, _ host: Host, _ simulation: Simulation) -> Bool {
        let election = simulation.plan.timing.election
        let outage = chance.interval(.milliseconds(1), .milliseconds(1000))
        switch kind {
        case .requestLost:
            simulation.tally.fired(.n1)
            return false
        case .replyLost:
            muted[host.index] += 1
            return true
        case .diesBefore:
            simulation.tally.fired(.p1)
            simulation.crash(host, restartAfter: outage)
            return false
        case .diesAfter:
            dies[host.index] = true
            return true
        case .stalls:
            simulation.tally.fired(.p4)
            simulation.pause(host, for: chance.interval(election, election * 5))
            return true
        case .forgets:
            simulation.tally.fired(.d10)
            simulation.crash(host, restartAfter: outage)
            host.disk.forgetStates()
            return false
        }
    }

    /// Whether the replica dies now that its write is durable.
    func diesAfterWrite(_ host: Host, _ simulation: Simulation) -> Bool {
        guard dies[host.index] else { return false }
        dies[host.index] = false
        simulation.tally.fired(.p1)
        simulation.crash(
            host, restartAfter: chance.interval(.milliseconds(1), .milliseconds(1000)))
        return true
    }

    /// What is left of a replica's messages when its answers do not get through.
    func muffled(_ messages: [Bytes], of host: Host, _ tally: inout FaultTally) -> [Bytes] {
        guard muted[host.index] > 0 else { return messages }
        return messages.filter { message in
            let isAnswer =
                message.first == MessageTag.accepted || message.first == MessageTag.promise
            guard isAnswer, muted[host.index] > 0 else { return true }
            muted[host.index] -= 1
            tally.fired(.n1)
            return false
        }
    }

    /// How often each way of failing came up.
    var figures: [Figure] {
        zip(Kind.allCases, counts).map { Figure($0.rawValue, "\($1)") }
    }
}
