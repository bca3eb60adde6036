import SynodBytes
import SynodCheck
import SynodPaxos

/// Clients, each with one request under way at most, and what they saw.
struct Clients {
    struct Client {
        /// The replica that it talks to.
        var host: Int
        /// The call under way.
        var call: UInt64?
        /// Asked again elsewhere, because the last attempt came to nothing.
        var again: Request?
        /// Replicas that it cannot reach, as a set of bits.
        var cutOff: UInt16 = 0
        /// Makes no requests by itself.
        var isProbe = false
        var chance: PRNG
    }

    /// A call, from the moment it was made.
    struct Call {
        let client: Int
        let host: Int
        let at: Instant
        /// Nil for what no history speaks of.
        let request: Request?
        /// What is to be replicated; nil for a read.
        var command: Bytes?
        /// Nil while it is under way.
        var outcome: Outcome?
    }

    let workload: Workload
    var all: [Client]
    var maker: RequestMaker
    /// By call number.
    var calls: [Call] = []
    /// Requests made so far that count against the workload.
    var made = 0
    var isStopped = false

    init(for plan: Plan) {
        workload = plan.workload
        var chance = plan.clientChance
        maker = RequestMaker(plan.workload, chance: chance.fork())
        all = (0..<plan.workload.clients).map { _ in
            Client(host: chance.index(plan.replicas), chance: chance.fork())
        }
    }

    /// What the checkers are given. A write of which nobody knows what became is known not to have
    /// happened if it `wasChosen` nowhere: the order of what is left is then soon found.
    func history(wasChosen: (Bytes) -> Bool) -> History {
        var operations: [Operation] = []
        for call in calls {
            guard let request = call.request else { continue }
            var outcome = call.outcome ?? .unknown
            if outcome == .unknown, call.command.map({ !wasChosen($0) }) ?? true {
                outcome = .refused(at: .max)
            }
            operations.append(
                Operation(
                    client: call.client, call: call.at.nanoseconds, request: request,
                    outcome: outcome))
        }
        return History(operations: operations)
    }
}

extension Clients {
    /// A client that makes no requests by itself. Returns its number.
    mutating func addProbe(at host: Int) -> Int {
        all.append(Client(host: host, isProbe: true, chance: all[0].chance))
        return all.count - 1
    }

    func isOver(_ call: UInt64) -> Bool { calls[Int(call)].outcome != nil }

    func isAnswered(_ call: UInt64) -> Bool {
        if case .answered = calls[Int(call)].outcome { true } else { false }
    }
}
extension Clients {
    /// Whether the workload is over.
    var isDone: Bool {
        made >= workload.operations && all.allSatisfy { $0.call == nil && $0.again == nil }
    }
}
