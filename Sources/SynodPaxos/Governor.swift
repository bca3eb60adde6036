/// Who proposes what this replica's clients write.
package enum ProposerPolicy: String, CaseIterable, Hashable, Sendable {
    /// Each replica's governor decides, batch by batch.
    case automatic
    /// The leader alone.
    case leader
    /// Every replica, as long as its slots need no recovery.
    case everyone
}

/// Decides, batch by batch, whether a replica proposes by itself or lets the leader do it.
///
/// To propose costs a round trip for the slot and saves the leader's link: every byte goes once from
/// here to each acceptor, and not also from here to the leader and from there to all others. So
/// large commands are proposed here, and small ones forwarded, where the leader makes one batch of
/// what all replicas send. How many slots are asked for grows by one with every round of them that
/// went well and is halved by each that had to be recovered; one recovery too many, and the replica
/// forwards for a probation that doubles each time.
package struct Governor: Hashable, Sendable {
    private let policy: ProposerPolicy
    /// Slots that may be under way, in 1/16.
    private var allowance = 4 * Self.unit
    private var probation = Self.shortestProbation
    private var forwardsUntil = Instant(nanoseconds: 0)
    /// Whether the last batch was proposed here: the way is not changed for a little.
    private var isProposing = false

    private static let unit = 16
    private static let shortestProbation = Interval.milliseconds(500)
    private static let longestProbation = Interval.milliseconds(30_000)
    /// Bytes of a command from which on it is proposed here; half of it to go on with it.
    private static let largeCommand = 4096

    package init(policy: ProposerPolicy) {
        self.policy = policy
    }

    /// Slots that may be granted and not decided at a time.
    package var slots: Int { max(1, allowance / Self.unit) }

    /// Decides for commands that wait: so many, of so many bytes.
    package mutating func proposes(_ count: Int, bytes: Int, _ now: Instant) -> Bool {
        guard count > 0 else { return isProposing }
        let threshold = isProposing ? Self.largeCommand / 2 : Self.largeCommand
        isProposing =
            switch policy {
            case .leader: false
            case .everyone: now >= forwardsUntil
            case .automatic: now >= forwardsUntil && bytes / count >= threshold
            }
        return isProposing
    }

    /// A slot was decided as proposed here.
    package mutating func succeeded() {
        allowance = min(Int(Limits.grants) * Self.unit, allowance + max(1, Self.unit / slots))
        probation = max(Self.shortestProbation, probation / 2)
    }

    /// A slot was decided otherwise. All that fail while this replica forwards are one failure.
    package mutating func failed(_ now: Instant) {
        guard now >= forwardsUntil else { return }
        allowance /= 2
        guard allowance < Self.unit else { return }
        allowance = Self.unit
        forwardsUntil = now + probation
        probation = min(Self.longestProbation, probation * 2)
    }
}
