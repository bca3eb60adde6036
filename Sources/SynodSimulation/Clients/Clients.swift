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

    /// What the checkers are given: what the clients saw and, from the log, which of the writes that
    /// nobody was answered were chosen, and in which order all were.
    ///
    /// That is no more than who reads the log afterwards knows, and it is not taken from what the
    /// replicas say but from what a quorum has on disk. It only takes away orders that could explain
    /// the history: a write that is nowhere in the log has not happened, and one that comes later
    /// in it took effect later. So it hides nothing.
    func history(chosen: [Bytes: [UInt64]]) -> History {
        var operations: [Operation] = []
        for call in calls {
            guard let request = call.request else { continue }
            let places = call.command.flatMap { chosen[$0] } ?? []
            var outcome = call.outcome ?? .unknown
            if outcome == .unknown, places.isEmpty { outcome = .refused(at: .max) }
            operations.append(
                Operation(
                    client: call.client, call: call.at.nanoseconds, request: request,
                    outcome: outcome, place: places.first))
        }
        return History(operations: operations)
    }

    /// A call whose command is in the log twice, if there is one. The number of the call is in the
    /// command, so that no two are alike.
    func callExecutedTwice(_ chosen: [Bytes: [UInt64]]) -> Int? {
        calls.firstIndex { call in
            call.request != nil && call.command.flatMap { chosen[$0] }?.count ?? 0 > 1
        }
    }

    /// A write that a client was told had been refused, and that has changed something, if there is
    /// one.
    func callDenied(_ effective: Set<Bytes>) -> Int? {
        calls.firstIndex { call in
            guard case .refused = call.outcome, let command = call.command else { return false }
            return call.request != nil && effective.contains(command)
        }
    }

    /// A write that a client was told had happened and that is nowhere in the log, if there is one.
    func callLost(_ chosen: [Bytes: [UInt64]]) -> Int? {
        calls.firstIndex { call in
            guard case .answered(_, let response) = call.outcome, response.body.isChange else {
                return false
            }
            return call.command.flatMap { chosen[$0] } == nil
        }
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

    /// Whether the workload is over.
    var isDone: Bool {
        made >= workload.operations && all.allSatisfy { $0.call == nil && $0.again == nil }
    }
}
