package import SynodPaxos

/// How much of the world is explored: every bound of it, in one place.
///
/// All that may happen within these bounds is visited, in every order. The messages are a set
/// that only grows: a member of it may be delivered at any time, never, or more than once, which
/// is reordering, loss and duplication without any bound of their own.
package struct Scope: Hashable, Sendable {
    /// Where the exploration begins.
    package enum Start: String, Hashable, Sendable, CaseIterable {
        /// Nothing has ever happened.
        case fresh
        /// The first replica leads; everyone has executed a window of no-ops and no message is
        /// under way.
        case led
    }

    /// Acceptors, two to five.
    package var replicas = 3
    /// By replica, from the first: how often it may campaign.
    package var campaigns = [1, 1]
    /// Commands that clients want from the start: the index of the replica that each asks.
    package var commands = [0, 1]
    /// How many keys the commands touch, in turn; with none, each may touch any.
    package var keys = 0
    /// Who proposes what the clients want.
    package var proposers = ProposerPolicy.leader
    /// Whether a client of a replica that had some wants one more command when it has crashed.
    package var asksAgain = false
    /// How often each leader may give up on what it has granted to one of the others.
    package var abandonments = 0
    package var start = Start.fresh
    /// Entries above this slot reach nobody but the leader itself.
    package var slots = 2
    /// Slots in flight.
    package var window = 1
    /// By replica, from the first: how often it may crash and start again.
    package var crashes: [Int] = []
    /// Whether refusals reach anybody.
    package var hasNacks = false
    /// Whether a write completes before anything else happens, but for replicas that may crash.
    package var hasPromptDisks = false
    /// Whether what adds little is always lost: a second promise of one ballot, the first word
    /// of a leader that has chosen nothing yet, an answer without entries to a fetch.
    package var isTerse = false
    /// Whether states that have the same future, or more of it, stand for each other; see
    /// docs/explorer.md.
    package var isReduced = true
    /// States after which to give up.
    package var stateLimit = 1_500_000_000

    package init() {}

    package var membership: Membership {
        Membership((1...replicas).map { ReplicaID(UInt64($0)) })
    }

    func campaigns(of index: Int) -> Int { index < campaigns.count ? campaigns[index] : 0 }

    func crashes(of index: Int) -> Int { index < crashes.count ? crashes[index] : 0 }

    /// What is wrong with it; nil if it can be explored.
    package var flaw: String? {
        if !(2...5).contains(replicas) { return "two to five replicas can be explored" }
        if campaigns.count > replicas || crashes.count > replicas {
            return "a list names more replicas than there are"
        }
        if !commands.allSatisfy({ (0..<replicas).contains($0) }) {
            return "a command names a replica that does not exist"
        }
        if !(1...8).contains(slots) || !(1...8).contains(window) {
            return "slots and window lie between 1 and 8"
        }
        if proposers == .automatic { return "how large a command is makes no difference here" }
        if proposers == .leader, abandonments > 0 {
            return "nothing is granted, so that nothing can be abandoned"
        }
        if !(0...8).contains(keys) || !(0...8).contains(abandonments) {
            return "keys and abandonments lie between 0 and 8"
        }
        if asksAgain, !crashes.contains(where: { $0 > 0 }) {
            return "who asks again is a client of a replica that crashes, and none does"
        }
        if stateLimit < 1 { return "not even the first state is within the limit" }
        if start == .led, campaigns.isEmpty || window >= slots {
            return "a start with a leader needs a campaigner and more slots than the window has"
        }
        return nil
    }
}
