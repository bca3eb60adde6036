import SynodExplorer
import SynodPaxos
import Testing

/// Slots that are granted, abandoned and executed out of order, in every state.
struct GrantTests {
    /// The second replica proposes in a slot of the first one's, who may lose patience with it.
    private var granted: Scope {
        var scope = Scope()
        scope.start = .led
        scope.commands = [1]
        scope.proposers = .everyone
        scope.abandonments = 1
        scope.isTerse = true
        scope.campaigns = [0]
        return scope
    }

    /// The same, and it campaigns.
    private var contested: Scope {
        var scope = granted
        scope.campaigns = [0, 1]
        return scope
    }

    /// Two slots are granted, and the second may be chosen first.
    private var ahead: Scope {
        var scope = granted
        scope.window = 2
        scope.slots = 4
        scope.commands = [1, 1]
        scope.abandonments = 0
        return scope
    }

    @Test func abandonedSlotsAndAChangeOfLeadersAreInOrderInEveryState() {
        var explorer = Explorer(contested)
        guard case .exhausted = explorer.run() else {
            Issue.record("not exhausted")
            return
        }
        // Fewer would mean that something is no longer explored.
        #expect(explorer.progress.states > 50_000)
    }

    @Test func aProposerThatStartsAgainIsInOrderInEveryState() {
        var scope = granted
        scope.crashes = [0, 1]
        scope.asksAgain = true
        var explorer = Explorer(scope)
        guard case .exhausted = explorer.run() else {
            Issue.record("not exhausted")
            return
        }
    }

    @Test(arguments: 1...2)
    func executionAheadIsInOrderInEveryState(_ keys: Int) {
        var scope = ahead
        scope.keys = keys
        var explorer = Explorer(scope)
        guard case .exhausted = explorer.run() else {
            Issue.record("not exhausted")
            return
        }
    }

    @Test(arguments: 0..<4)
    func theReducedSearchMissesNothing(_ number: Int) {
        var scope = [granted, granted, contested, ahead][number]
        if number == 0 { scope.isTerse = false }
        if number == 1 { scope.crashes = [0, 1] }
        scope.keys = 2
        expectSameVisited(scope)
    }

    // MARK: Mistakes

    /// The first rule that is broken when messages are changed before they are sent.
    private func rule(
        brokenIn scope: Scope, _ change: @escaping @Sendable (Message) -> Message?
    ) -> Violation.Rule? {
        var explorer = Explorer(scope) { outbox, _ in
            let all = outbox.send
            outbox.send = []
            for envelope in all {
                if let changed = change(envelope.message) {
                    outbox.send(changed, to: envelope.to)
                } else {
                    outbox.send.append(envelope)
                }
            }
        }
        guard case .violated(let violation, _) = explorer.run() else { return nil }
        return violation.rule
    }

    /// A leader proposes at the second attempt before its disk excludes the first.
    @Test func abandoningBeforeWritingIsSeen() {
        let broken = rule(brokenIn: granted) { message in
            guard case .accept(let ballot, _, _) = message, ballot.attempt == 1 else { return nil }
            return message
        }
        #expect(broken == .safeProposal)
    }

    /// A stamp forgets that two commands touch one key.
    @Test func aForgottenConflictIsSeen() {
        var scope = ahead
        scope.keys = 1
        let broken = rule(brokenIn: scope) { message in
            guard case .grant(let ballot, let boot, let batch, let slot, let stamp?) = message
            else {
                return nil
            }
            let changed = Stamp(
                reach: stamp.reach, revision: stamp.revision, uncertain: stamp.uncertain, waits: [])
            return .grant(ballot: ballot, boot: boot, batch: batch, slot: slot, stamp: changed)
        }
        #expect(broken == .learning)
    }

    /// Two stamps have room for the same revision.
    @Test func aRevisionThatIsGivenTwiceIsSeen() {
        var scope = ahead
        scope.keys = 2
        let broken = rule(brokenIn: scope) { message in
            guard case .grant(let ballot, let boot, let batch, let slot, let stamp?) = message
            else {
                return nil
            }
            let changed = Stamp(
                reach: stamp.reach, revision: 0, uncertain: stamp.uncertain, waits: stamp.waits)
            return .grant(ballot: ballot, boot: boot, batch: batch, slot: slot, stamp: changed)
        }
        #expect(broken == .learning)
    }

    /// What was executed ahead is executed again.
    @Test func executingTwiceIsSeen() {
        var scope = ahead
        scope.keys = 2
        var explorer = Explorer(scope) { outbox, _ in
            if let item = outbox.learned.first(where: { !$0.isInOrder }) {
                outbox.learned.append(item)
            }
        }
        guard case .violated(let violation, _) = explorer.run() else {
            Issue.record("nothing is executed ahead, or nobody looks")
            return
        }
        #expect(violation.rule == .learning)
    }
}
