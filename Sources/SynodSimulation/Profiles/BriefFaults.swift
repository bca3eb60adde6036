import SynodBytes
import SynodNode
import SynodPaxos

/// The `brief` profile's faults: an acceptor or learner fails at every twentieth message that it
/// handles, in one of six ways, all equally likely.
final class BriefFaults {
    enum Kind: String, CaseIterable {
        case requestLost = "request dropped"
        /// A learner replies only if it lacks something.
        case replyLost = "reply dropped"
        case diesBefore = "crash before the write"
        /// A learner that only executes what it learned has nothing to write, and dies at once.
        case diesAfter = "crash after the write"
        case stalls = "late reply"
        /// Only of a learner.
        case forgets = "state lost"
    }

    private var chance: PRNG
    private(set) var counts = [UInt64](repeating: 0, count: Kind.allCases.count)
    /// Messages handled.
    private(set) var handled: UInt64 = 0
    /// By replica: what is still to go wrong in its process.
    private var dooms: [Doom]

    private struct Doom {
        /// Messages whose replies do not get through, and who sent them.
        var unanswered: (messages: [Message], sender: ReplicaID)?
        /// Dies of the step that takes what has just been handed to it.
        var diesOfStep = false
        /// Dies when this is durable.
        var diesAt: LogTicket?
    }

    init(chance: PRNG, count: Int) {
        self.chance = chance
        dooms = Array(repeating: Doom(), count: count)
    }

    /// Whether what arrives is to be handed on. Messages that travel together are one: the entries
    /// that a new leader proposes at once are written and answered at once.
    func meets(
        _ messages: [Bytes], from sender: ReplicaID, at host: Host, _ simulation: Simulation
    ) -> Bool {
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
        if kind == .replyLost {
            dooms[host.index].unanswered = (
                messages.compactMap { try? Message(encoded: $0) }, sender
            )
        }
        return inflict(kind, host, simulation)
    }

    private func inflict(_ kind: Kind, _ host: Host, _ simulation: Simulation) -> Bool {
        let election = simulation.plan.timing.election
        switch kind {
        case .requestLost:
            simulation.tally.fired(.n1)
            return false
        case .replyLost:
            return true
        case .diesBefore:
            crash(host, .p1, simulation)
            return false
        case .diesAfter:
            dooms[host.index].diesOfStep = true
            return true
        case .stalls:
            simulation.tally.fired(.p4)
            simulation.pause(host, for: chance.interval(election, election * 5))
            return true
        case .forgets:
            crash(host, .d10, simulation)
            host.disk.forgetStates()
            return false
        }
    }

    private func crash(_ host: Host, _ fault: FaultID, _ simulation: Simulation) {
        dooms[host.index] = Doom()
        simulation.tally.fired(fault)
        simulation.crash(
            host, restartAfter: chance.interval(.milliseconds(1), .milliseconds(1000)))
    }

    /// The replica has taken a step, with all that was handed to it.
    /// - Parameter ticket: of what it writes, if anything.
    func stepped(_ host: Host, writing ticket: LogTicket?, _ simulation: Simulation) {
        guard dooms[host.index].diesOfStep else { return }
        dooms[host.index].diesOfStep = false
        guard let ticket else { return crash(host, .p1, simulation) }
        dooms[host.index].diesAt = ticket
    }

    /// Whether the replica dies now that its write is durable.
    func diesAfterWrite(
        _ host: Host, through ticket: LogTicket, _ simulation: Simulation
    ) -> Bool {
        guard let last = dooms[host.index].diesAt, ticket >= last else { return false }
        crash(host, .p1, simulation)
        return true
    }

    /// What is left of a replica's messages to a peer when its replies do not get through.
    func muffled(
        _ messages: [Bytes], of host: Host, to peer: ReplicaID, _ simulation: Simulation
    ) -> [Bytes] {
        guard let (unanswered, sender) = dooms[host.index].unanswered, sender == peer else {
            return messages
        }
        var asked = unanswered
        let left = messages.filter { encoded in
            guard let reply = try? Message(encoded: encoded), asked.contains(where: reply.answers)
            else { return true }
            // Whoever repeats the question is answered.
            asked.removeAll(where: reply.answers)
            simulation.tally.fired(.n1)
            simulation.note("\(host.name): lost (N1) \(simulation.summary([encoded]))")
            return false
        }
        dooms[host.index].unanswered = asked.isEmpty ? nil : (asked, sender)
        return left
    }

    /// How often each way of failing came up.
    var figures: [Figure] {
        zip(Kind.allCases, counts).map { Figure($0.rawValue, count: $1, .total) }
    }
}

extension Message {
    /// Whether it replies to what an acceptor or a learner was sent.
    fileprivate func answers(_ message: Message) -> Bool {
        switch (message, self) {
        case (.prepare(let ballot, _), .promise(let promise)): promise.ballot == ballot
        case (.accept(let ballot, let slot, _), .accepted(let own, let first, let last)):
            own == ballot && first <= slot && slot <= last
        case (.prepare(let ballot, _), .nack(let promised)),
            (.accept(let ballot, _, _), .nack(let promised)):
            promised > ballot
        case (.chosen(let progress), .nack(let promised)): promised > progress.ballot
        // What was announced is asked for, or what comes after a part of it.
        case (.chosen(let progress), .fetch(let slot)): slot <= progress.chosenThrough
        case (.fetched(_, _, let through), .fetch(let slot)): slot <= through
        default: false
        }
    }
}
