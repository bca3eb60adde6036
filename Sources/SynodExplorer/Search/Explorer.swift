package import SynodPaxos

/// Visits every state that a small cluster can reach, breadth first, and judges each.
///
/// A state of the cluster is the states of its replicas: the network is what they have sent, for
/// messages are never used up. Each replica's state is known by a number, so the whole is one word.
package struct Explorer {
    package let scope: Scope
    let ledger: Ledger
    private let judge: Judge
    private let stepper: HostStepper
    private var replicas: [HostStates]
    private var table = StateTable()
    private let bits: Int
    private var transitions = 0
    private var depth = 0
    /// Sets of what was chosen and of votes that were found to be in order.
    private var judged: Set<[Marks]> = []

    /// - Parameter alter: changes what a replica (by index) wants done; for tests of the checks.
    package init(_ scope: Scope, alter: (@Sendable (inout Outbox, Int) -> Void)? = nil) {
        precondition(scope.flaw == nil, "A scope without flaws is explored.")
        self.scope = scope
        ledger = Ledger()
        judge = Judge(ledger: ledger, quorum: scope.replicas / 2 + 1)
        let stepper = HostStepper(scope: scope, ledger: ledger, alter: alter)
        self.stepper = stepper
        replicas = (0..<scope.replicas).map { _ in HostStates(stepper) }
        bits = 64 / scope.replicas
    }

    /// How far it has come.
    package struct Progress: Sendable {
        package let states: Int
        package let transitions: Int
        package let depth: Int
        /// States found and not yet left.
        package let waiting: Int
        /// By replica: its own states.
        package let replicaStates: [Int]
        /// Steps of the core.
        package let steps: Int
        package let messages: Int
    }

    package enum Outcome: Sendable {
        /// Every state was visited, and all are in order.
        case exhausted
        /// A bound was reached first.
        case cutOff
        /// A state is wrong; what led there, in order.
        case violated(Violation, trace: [String])
    }

    package var progress: Progress { progress(waiting: 0) }

    private func progress(waiting: Int) -> Progress {
        Progress(
            states: table.count, transitions: transitions, depth: depth, waiting: waiting,
            replicaStates: replicas.map(\.count), steps: replicas.reduce(0) { $0 + $1.steps },
            messages: ledger.packetCount)
    }

    /// - Parameter report: called now and then.
    package mutating func run(_ report: (Progress) -> Void = { _ in }) -> Outcome {
        var next = 0
        do {
            try begin()
            var levelEnd = table.count
            while next < table.count {
                if next == levelEnd {
                    depth += 1
                    levelEnd = table.count
                }
                try expand(next)
                next += 1
                if next & 0xf_ffff == 0 { report(progress(waiting: table.count - next)) }
                if isFull { return .cutOff }
            }
            return .exhausted
        } catch {
            return .violated(error, trace: trace(to: next, error))
        }
    }

    private var isFull: Bool {
        // One expansion adds far fewer states of a replica than are kept free here.
        table.count > scope.stateLimit || replicas.contains { $0.count > 1 << bits - 2048 }
    }

    // MARK: States

    private func host(_ index: Int, in state: UInt64) -> Int32 {
        Int32(truncatingIfNeeded: (state >> UInt64(index * bits)) & (1 << UInt64(bits) - 1))
    }

    private func replacing(_ index: Int, by host: Int32, in state: UInt64) -> UInt64 {
        precondition(
            UInt64(host) < 1 << UInt64(bits), "The states of a replica are numbered in few bits.")
        let mask: UInt64 = (1 << UInt64(bits) - 1) << UInt64(index * bits)
        return state & ~mask | UInt64(host) << UInt64(index * bits)
    }

    private mutating func begin() throws(Violation) {
        let hosts = try Beginning(scope, stepper).hosts
        var state: UInt64 = 0
        for index in hosts.indices {
            state = replacing(index, by: replicas[index].number(hosts[index]), in: state)
        }
        _ = table.insert(state, from: 0)
        try judge.check(hosts)
    }

    private mutating func expand(_ number: Int) throws(Violation) {
        let state = table.states[number]
        let hosts = (0..<scope.replicas).map { host($0, in: state) }
        let summaries = hosts.indices.map { replicas[$0].summaries[Int(hosts[$0])] }
        // A completion that commutes with everything else stands for all orders.
        if let writer = summaries.firstIndex(where: \.isWriting) {
            for (event, next) in try replicas[writer].innerEvents(of: hosts[writer])
            where event == .sync {
                try reach(next, at: writer, from: number, state, hosts)
            }
            return
        }
        for index in hosts.indices {
            for (_, next) in try replicas[index].innerEvents(of: hosts[index]) {
                try reach(next, at: index, from: number, state, hosts)
            }
            for sender in hosts.indices where sender != index {
                let range = try replicas[index].deliver(
                    mail: summaries[sender].mail[index], to: hosts[index])
                for place in range {
                    try reach(
                        replicas[index].reached[place], at: index, from: number, state, hosts)
                }
            }
        }
    }

    private mutating func reach(
        _ next: Int32, at index: Int, from number: Int, _ state: UInt64, _ hosts: [Int32]
    ) throws(Violation) {
        transitions += 1
        let reached = replacing(index, by: next, in: state)
        guard table.insert(reached, from: UInt32(number)) else { return }
        let before = replicas[index].summaries[Int(hosts[index])]
        let after = replicas[index].summaries[Int(next)]
        let news = after.proposed & ~before.proposed
        if news == 0, before.votes == after.votes, before.executed == after.executed { return }
        try check(reached, news)
    }

    private mutating func check(_ state: UInt64, _ proposals: Marks) throws(Violation) {
        if proposals == 0 {
            var key: [Marks] = []
            for index in replicas.indices {
                let summary = replicas[index].summaries[Int(host(index, in: state))]
                key += [summary.votes, summary.proposed, summary.executed]
            }
            guard judged.insert(key).inserted else { return }
        }
        let hosts = replicas.indices.map { replicas[$0][host($0, in: state)] }
        try judge.check(hosts)
        try judge.checkProposals(proposals, hosts)
    }

    // MARK: Telling

    /// What happened on the way to the violation, found when the state of this number was expanded.
    private mutating func trace(to number: Int, _ violation: Violation) -> [String] {
        guard table.count > 0 else { return [] }
        let path = table.path(to: violation.event == nil ? table.count - 1 : number)
        var lines: [String] = []
        for (from, to) in zip(path, path.dropFirst()) { lines.append(describe(from, to)) }
        return lines + (violation.event.map { [$0] } ?? [])
    }

    private mutating func describe(_ from: UInt64, _ to: UInt64) -> String {
        guard let index = replicas.indices.first(where: { host($0, in: from) != host($0, in: to) })
        else { return "nothing" }
        let (before, after) = (host(index, in: from), host(index, in: to))
        for (event, next) in (try? replicas[index].innerEvents(of: before)) ?? []
        where next == after {
            return stepper.describe(event, at: index)
        }
        for sender in replicas.indices where sender != index {
            for packet in replicas[sender][host(sender, in: from)].sent
            where (try? replicas[index].deliver(packet: packet, to: before)) == after {
                return stepper.describe(.delivery(packet), at: index)
            }
        }
        return "\(index + 1) changes"
    }
}
