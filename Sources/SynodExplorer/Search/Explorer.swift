package import SynodPaxos

/// Visits every state that a small cluster can reach, breadth first, and judges each.
///
/// A state of the cluster is the positions of its replicas: the network is what they have sent, for
/// messages are never used up. Each position is known by a number, so the whole is one word.
package struct Explorer {
    package let scope: Scope
    let ledger: Ledger
    private let judge: Judge
    private let stepper: HostStepper
    private let alter: (@Sendable (inout Outbox, Int) -> Void)?
    var replicas: [Positions]
    private var seen = StateSet()
    /// The states of the present depth, and those found from them.
    private var level: [UInt64] = []
    private var found: [UInt64] = []
    /// From where each state was found first, if somebody wants to know.
    private var parents: [UInt64: UInt64]?
    /// By replica: where its position begins in the word, and how many bits it has.
    private let fields: [(shift: UInt64, width: UInt64)]
    private var transitions = 0
    private var depth = 0
    /// What was judged and found to be in order.
    private var judged: Set<Judged> = []
    /// The state that breaks an invariant.
    private var culprit: UInt64 = 0

    /// - Parameter alter: changes what a replica (by index) wants done; for tests of the checks.
    package init(_ scope: Scope, alter: (@Sendable (inout Outbox, Int) -> Void)? = nil) {
        precondition(scope.flaw == nil, "A scope without flaws is explored.")
        self.scope = scope
        self.alter = alter
        ledger = Ledger()
        judge = Judge(ledger: ledger, quorum: scope.replicas / 2 + 1)
        let stepper = HostStepper(scope: scope, ledger: ledger, alter: alter)
        self.stepper = stepper
        replicas = (0..<scope.replicas).map { Positions($0, scope, stepper) }
        fields = Self.fields(scope)
    }

    /// One that may crash has many more positions than others, if it is the only one.
    private static func fields(_ scope: Scope) -> [(shift: UInt64, width: UInt64)] {
        let crashing = (0..<scope.replicas).filter { scope.crashes(of: $0) > 0 }
        var fields: [(shift: UInt64, width: UInt64)] = []
        var shift: UInt64 = 0
        for index in 0..<scope.replicas {
            var width = 64 / UInt64(scope.replicas)
            if crashing.count == 1 {
                width -= 1
                if crashing == [index] { width += UInt64(scope.replicas) }
            }
            fields.append((shift, width))
            shift += width
        }
        return fields
    }

    private struct Judged: Hashable {
        /// By replica.
        let looks: Cast
        let learned: Marks
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
        /// By replica: its states together with all that it has sent.
        package let positions: [Int]
        /// Steps of the core.
        package let steps: Int
        package let messages: Int
    }

    package enum Outcome: Sendable {
        /// Every state was visited, and all are in order.
        case exhausted
        /// A bound was reached first.
        case cutOff
        /// Whoever asked for it wanted no more.
        case stopped
        /// More came up than sets of ``votesAtMost`` can hold: nothing was found out.
        case overfull
        /// A state is wrong; what led there, in order.
        case violated(Violation, trace: [String])
    }

    /// How many different votes can be told apart: of acceptors, each for an entry at a ballot in a
    /// slot.
    package static let votesAtMost = Marks.bitWidth

    package var progress: Progress { progress(waiting: 0) }

    private func progress(waiting: Int) -> Progress {
        Progress(
            states: seen.count, transitions: transitions, depth: depth, waiting: waiting,
            replicaStates: replicas.map(\.hosts.count), positions: replicas.map(\.count),
            steps: replicas.reduce(0) { $0 + $1.hosts.steps }, messages: ledger.packetCount)
    }

    /// - Parameters:
    ///   - report: called now and then.
    ///   - isStopped: asked often; the search ends when it says so.
    ///   - visit: called for every state with a digest of its replicas and their disks, which is the
    ///     same in all explorations of one process; what they have sent is no part of it.
    package mutating func run(
        _ report: (Progress) -> Void = { _ in }, isStopped: () -> Bool = { false },
        visit: ((Int) -> Void)? = nil
    ) -> Outcome {
        do {
            let outcome = try search(report, isStopped, visit)
            return ledger.isOverfull ? .overfull : outcome
        } catch {
            return ledger.isOverfull ? .overfull : .violated(error, trace: trace(error))
        }
    }

    private mutating func search(
        _ report: (Progress) -> Void, _ isStopped: () -> Bool, _ visit: ((Int) -> Void)?
    ) throws(Violation) -> Outcome {
        try begin()
        var expanded = 0
        while true {
            var left = 0
            while left < level.count {
                culprit = level[left]
                visit?(digest(culprit))
                try expand(level[left])
                left += 1
                expanded += 1
                if expanded & 0xf_ffff == 0 {
                    report(progress(waiting: level.count - left + found.count))
                }
                if isFull { return .cutOff }
                if isStopped() { return .stopped }
            }
            if found.isEmpty { return .exhausted }
            swap(&level, &found)
            found.removeAll(keepingCapacity: true)
            depth += 1
        }
    }

    private var isFull: Bool {
        // One expansion adds far fewer positions of a replica than are kept free here.
        seen.count > scope.stateLimit || ledger.isOverfull
            || replicas.indices.contains { index in
                replicas[index].count > 1 << fields[index].width - 2048
            }
    }

    // MARK: States

    /// The positions of the replicas, in their order.
    private typealias Cast = SIMD8<Int32>

    private func state(_ cast: Cast) -> UInt64 {
        var state: UInt64 = 0
        for index in replicas.indices {
            precondition(
                UInt64(cast[index]) < 1 << fields[index].width,
                "The positions of a replica are numbered in few bits.")
            state |= UInt64(cast[index]) << fields[index].shift
        }
        return state
    }

    private func cast(_ state: UInt64) -> Cast {
        var cast = Cast()
        for index in replicas.indices {
            cast[index] = Int32(
                truncatingIfNeeded: state >> fields[index].shift & (1 << fields[index].width - 1))
        }
        return cast
    }

    private func digest(_ state: UInt64) -> Int {
        let cast = cast(state)
        var hasher = Hasher()
        for index in replicas.indices {
            hasher.combine(replicas[index].host(cast[index]).digest(ledger))
        }
        return hasher.finalize()
    }

    private func mail(from sender: Int, to index: Int, _ cast: Cast) -> Int32 {
        replicas[sender].mail(cast[sender], to: index)
    }

    private mutating func begin() throws(Violation) {
        let hosts = try Beginning(scope, stepper).hosts
        var cast = Cast()
        for index in hosts.indices { cast[index] = replicas[index].number(hosts[index]) }
        if scope.isReduced {
            try reduce(&cast, (0..<scope.replicas * scope.replicas).reduce(0) { $0 | 1 << $1 })
        }
        let first = state(cast)
        _ = seen.insert(first)
        level = [first]
        culprit = first
        try judge.check(hosts)
        for host in hosts {
            try judge.checkLearned(host.deed.learned, by: host.index, hosts)
        }
    }

    private mutating func expand(_ state: UInt64) throws(Violation) {
        let cast = cast(state)
        // A completion that commutes with everything else stands for all orders.
        for writer in replicas.indices where replicas[writer].summary(cast[writer]).isWriting {
            try reach(replicas[writer].completion(of: cast[writer]), at: writer, cast)
            return
        }
        for index in replicas.indices {
            for move in try replicas[index].innerMoves(of: cast[index]) {
                try reach(move, at: index, cast)
            }
            for sender in replicas.indices where sender != index {
                let mail = mail(from: sender, to: index, cast)
                for move in try replicas[index].moves(of: cast[index], mail: mail) {
                    try reach(move, at: index, cast)
                }
            }
        }
    }

    private mutating func reach(
        _ move: Positions.Move, at index: Int, _ cast: Cast
    ) throws(Violation) {
        transitions += 1
        var reached = cast
        reached[index] = move.next
        if scope.isReduced { try reduce(&reached, movedAt: index, from: cast) }
        let next = state(reached)
        let isNew = seen.insert(next)
        if isNew {
            found.append(next)
            if parents != nil { parents![next] = culprit }
        }
        let isNews =
            replicas[index].summary(cast[index]).look != replicas[index].summary(move.next).look
        guard move.learned != 0 || isNew && isNews else { return }
        let former = culprit
        culprit = next
        try check(reached, move.learned, by: index)
        culprit = former
    }

    private mutating func check(
        _ cast: Cast, _ learned: Marks, by index: Int
    ) throws(Violation) {
        var looks = Cast()
        for index in replicas.indices { looks[index] = replicas[index].summary(cast[index]).look }
        guard judged.insert(Judged(looks: looks, learned: learned)).inserted else { return }
        let hosts = replicas.indices.map { replicas[$0].host(cast[$0]) }
        try judge.check(hosts)
        try judge.checkLearned(learned, by: index, hosts)
        try judge.checkProposals(hosts)
    }

    // MARK: Reductions

    /// Mail of which it is not known whether all is answered and nothing of it stale: a bit for each
    /// recipient and sender.
    private typealias Unread = UInt32

    private func mark(_ sender: Int, to index: Int) -> Unread {
        1 << Unread(index * scope.replicas + sender)
    }

    /// Reduces what was reached from a reduced state by a move of one replica. If that shows a
    /// violation, the culprit is what was reached, as it is.
    private mutating func reduce(
        _ cast: inout Cast, movedAt index: Int, from former: Cast
    ) throws(Violation) {
        var unread: Unread = 0
        for other in replicas.indices where other != index {
            unread |= mark(other, to: index)
            if mail(from: index, to: other, cast) != mail(from: index, to: other, former) {
                unread |= mark(index, to: other)
            }
        }
        let reached = cast
        do {
            try reduce(&cast, unread)
        } catch {
            if parents != nil { parents![state(reached)] = culprit }
            culprit = state(reached)
            throw error
        }
    }

    /// Puts a state in the place of one that has no more future than it: everything is answered
    /// that can be without a change, and what can do nothing any more is gone.
    private mutating func reduce(_ cast: inout Cast, _ unread: Unread) throws(Violation) {
        var unanswered = unread
        var touched = unread
        var lively = SIMD32<Int32>()
        while unanswered != 0 {
            let pair = unanswered.trailingZeroBitCount
            unanswered &= unanswered - 1
            let (index, sender) = (pair / scope.replicas, pair % scope.replicas)
            guard index != sender else { continue }
            let mail = mail(from: sender, to: index, cast)
            let reaction = try replicas[index].reaction(to: mail, at: cast[index])
            lively[pair] = reaction.lively
            guard reaction.answered != cast[index] else { continue }
            cast[index] = reaction.answered
            for other in replicas.indices where other != index {
                unanswered |= mark(other, to: index) | mark(index, to: other)
            }
            touched |= unanswered
        }
        guard !scope.hasNacks else { return }
        forEachMark(Marks(touched)) { pair in
            let (index, sender) = (pair / scope.replicas, pair % scope.replicas)
            guard index != sender, lively[pair] != mail(from: sender, to: index, cast) else {
                return
            }
            cast[sender] = replicas[sender].replacing(
                to: index, by: lively[pair], at: cast[sender])
        }
    }

    // MARK: Telling

    /// What led to a violation, found by the same search once more, with an eye on who found whom.
    private func trace(_ violation: Violation) -> [String] {
        var again = Explorer(scope, alter: alter)
        again.parents = [:]
        _ = try? again.search({ _ in }, { false }, nil)
        var path = [again.culprit]
        while let parent = again.parents?[path[0]] { path.insert(parent, at: 0) }
        var lines: [String] = []
        for (from, to) in zip(path, path.dropFirst()) { lines.append(again.describe(from, to)) }
        return lines + (violation.event.map { [$0] } ?? [])
    }

    private mutating func describe(_ from: UInt64, _ to: UInt64) -> String {
        let cast = cast(from)
        for index in replicas.indices {
            let packets = replicas.indices.filter { $0 != index }.flatMap {
                ledger.mail(mail(from: $0, to: index, cast))
            }
            let steps = (try? replicas[index].named(cast[index], packets)) ?? []
            for (event, move) in steps {
                var reached = cast
                reached[index] = move.next
                if state(reached) == to { return stepper.describe(event, at: index) }
                if scope.isReduced { try? reduce(&reached, movedAt: index, from: cast) }
                if state(reached) == to { return stepper.describe(event, at: index) }
            }
        }
        return "something happens"
    }
}
