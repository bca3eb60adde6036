import SynodExplorer
import SynodPaxos
import Testing

/// Small clusters in every state, and mistakes that must not go unseen.
struct ExplorerTests {
    /// One contested slot: a leader's command, and another's campaign.
    private var contested: Scope {
        var scope = Scope()
        scope.start = .led
        scope.campaigns = [0, 1]
        scope.commands = [0]
        return scope
    }

    /// A replica that campaigns, crashes and campaigns again.
    private var restarted: Scope {
        var scope = Scope()
        scope.replicas = 2
        scope.campaigns = [2]
        scope.commands = []
        scope.slots = 1
        scope.crashes = [1]
        return scope
    }

    private func violation(
        _ scope: Scope, _ alter: @escaping @Sendable (inout Outbox, Int) -> Void
    ) -> (rule: Violation.Rule, trace: [String])? {
        var explorer = Explorer(scope, alter: alter)
        guard case .violated(let violation, let trace) = explorer.run() else { return nil }
        return (violation.rule, trace)
    }

    @Test func aContestedSlotIsInOrderInEveryState() {
        var explorer = Explorer(contested)
        guard case .exhausted = explorer.run() else {
            Issue.record("not exhausted")
            return
        }
    }

    /// Fewer states would mean that something is no longer explored, and more that replicas differ in what
    /// makes no difference. docs/explorer.md names the same numbers.
    @Test func exploredIsWhatTheDocumentationSays() {
        var crashing = contested
        crashing.crashes = [0, 1]
        var both = contested
        both.campaigns = [1, 1]
        both.commands = [0, 1]
        both.isTerse = true
        let documented = [
            (contested, 25_267, 105_497), (crashing, 186_129, 786_585),
            (both, 1_275_156, 4_160_164),
        ]
        for (scope, states, transitions) in documented {
            var explorer = Explorer(scope)
            guard case .exhausted = explorer.run() else {
                Issue.record("not exhausted")
                return
            }
            #expect(explorer.progress.states == states)
            #expect(explorer.progress.transitions == transitions)
        }
    }

    /// What stands for others differs from them in what was sent at most: whatever the replicas and
    /// their disks come to together, they come to it in the reduced search as well.
    @Test(arguments: 0..<4)
    func theReducedSearchMissesNothing(_ number: Int) {
        var scope = number == 0 ? restarted : contested
        if number == 2 { scope.crashes = [0, 1] }
        if number == 3 { scope.crashes = [0, 0, 1] }
        scope.isTerse = number > 1
        expectSameVisited(scope)
    }

    @Test func aRestartedCandidateIsInOrderInEveryState() {
        var explorer = Explorer(restarted)
        guard case .exhausted = explorer.run() else {
            Issue.record("not exhausted")
            return
        }
        #expect(explorer.progress.states > 1000)
    }

    /// The numbers of a scope are the same in every run and every process.
    @Test func anExplorationIsRepeatable() {
        var one = Explorer(restarted)
        var other = Explorer(restarted)
        _ = one.run()
        _ = other.run()
        #expect(one.progress.states == other.progress.states)
        #expect(one.progress.transitions == other.progress.transitions)
        #expect(one.progress.depth == other.progress.depth)
    }

    @Test func aLimitIsAdmitted() {
        var scope = contested
        scope.stateLimit = 1000
        var explorer = Explorer(scope)
        guard case .cutOff = explorer.run() else {
            Issue.record("a limit was passed over in silence")
            return
        }
    }

    /// More votes than can be told apart: nothing is said about states that are not understood.
    @Test func tooLargeAScopeIsRefused() {
        var scope = Scope()
        scope.start = .led
        scope.proposers = .everyone
        scope.commands = [0, 0, 0, 1, 1, 1, 2, 2, 2]
        scope.campaigns = [2, 2]
        (scope.slots, scope.window) = (8, 4)
        var explorer = Explorer(scope)
        guard case .overfull = explorer.run() else {
            Issue.record("a scope that is too large was explored")
            return
        }
    }

    @Test func whoeverHasSeenEnoughStopsIt() {
        var explorer = Explorer(contested)
        var questions = 0
        let outcome = explorer.run(isStopped: {
            questions += 1
            return questions == 1000
        })
        guard case .stopped = outcome else {
            Issue.record("it went on")
            return
        }
        #expect(explorer.progress.states > 1000)
    }

    // MARK: Mistakes

    /// Everything leaves at once, as if the disk had no delay.
    @Test func sayingBeforeWritingIsSeen() {
        let found = violation(restarted) { outbox, _ in
            let all = outbox.send
            outbox.send = []
            for envelope in all { outbox.send(envelope.message, to: envelope.to) }
        }
        #expect(found?.rule == .durability)
        #expect(found?.trace.isEmpty == false)
    }

    /// An acceptor hides what it accepted, so that a new leader proposes a no-op over it.
    @Test func hidingWhatWasAcceptedIsSeen() {
        let found = violation(contested) { outbox, _ in
            outbox.send = outbox.send.map { envelope in
                guard case .promise(let promise) = envelope.message else { return envelope }
                let empty = Promise(
                    ballot: promise.ballot, chosenThrough: promise.chosenThrough, accepted: [])
                var copy = Outbox()
                copy.ticket = envelope.afterTicket ?? .zero
                copy.sendWhenDurable(.promise(empty), to: envelope.to)
                return copy.send[0]
            }
        }
        #expect(found?.rule == .safeProposal || found?.rule == .agreement)
    }

    /// A message with another ballot than its proposer's.
    @Test func aForgedBallotIsSeen() {
        let found = violation(contested) { outbox, index in
            guard index == 1 else { return }
            outbox.send = outbox.send.map { envelope in
                guard case .accept(_, let slot, let entry) = envelope.message else {
                    return envelope
                }
                let forged = Ballot(round: 1, replica: ReplicaID(1))
                var copy = Outbox()
                copy.send(.accept(ballot: forged, slot: slot, entry: entry), to: envelope.to)
                return copy.send[0]
            }
        }
        #expect(found != nil)
    }

    /// Promises never reach the disk, although it says so.
    @Test func aPromiseThatIsNotWrittenIsSeen() {
        let found = violation(restarted) { outbox, _ in
            outbox.persist = outbox.persist.map { write in
                if case .promised = write { .promised(.zero) } else { write }
            }
        }
        #expect(found != nil)
    }

    // MARK: Crash points

    @Test func aCrashBetweenAnyTwoEffectsLosesNothing() {
        let sweep = CrashPoints.sweep()
        #expect(sweep.points > 100)
        #expect(sweep.failures.isEmpty, "\(sweep.failures.prefix(3))")
    }
}
