/// Who proposes what this replica's clients write.
package enum ProposerPolicy: String, CaseIterable, Hashable, Sendable {
    /// Each replica's governor decides, batch by batch.
    case automatic
    /// The leader alone.
    case leader
    /// Every replica, whatever its commands are and wait for, as long as its slots need no recovery.
    case everyone
}

/// Decides, batch by batch, whether a replica proposes by itself or lets the leader do it.
///
/// To propose costs a round trip for the slot and saves the leader's link: every byte goes once from
/// here to each acceptor, and not also from here to the leader and from there to all others. So
/// large commands are proposed here, and small ones forwarded, where the leader makes one batch of
/// what all replicas send, unless the leader cannot keep up with them.
///
/// How many slots are asked for grows by one with every round of them that went well. It is halved
/// by each that had to be recovered, and by each whose commands for the most part waited for
/// others' on the same keys, for then the round trip was for nothing. One too many, and the replica
/// forwards for a probation: after recoveries it doubles each time. Conflicts of large commands
/// leave one slot, for the leader's link is worth more than the round trip.
package struct Governor: Hashable, Sendable {
    private let policy: ProposerPolicy
    /// Slots that may be under way, in 1/16.
    private var allowance = 4 * Self.unit
    private var probation = Self.shortestProbation
    private var forwardsUntil = Instant(nanoseconds: 0)
    private var load = LeaderLoad()
    /// Whether the last batch was proposed here: the way is not changed for a little.
    package private(set) var isProposing = false
    /// Whether what waits is large enough to be proposed here.
    private var isLarge = false

    private static let unit = 16
    private static let shortestProbation = Interval.milliseconds(500)
    private static let longestProbation = Interval.milliseconds(30_000)
    /// Whether conflicts have ended is found out with a few batches, so it is tried again soon.
    private static let conflictProbation = Interval.milliseconds(2_000)
    /// Bytes of a command from which on it is proposed here; half of it to go on with it.
    private static let largeCommand = 4096

    package init(policy: ProposerPolicy) {
        self.policy = policy
    }

    /// Slots that may be granted and not decided at a time.
    package var slots: Int { max(1, allowance / Self.unit) }

    /// Decides for commands that wait: so many, of so many bytes.
    /// - Parameter backlog: what the leader says of its own: see ``Progress/backlog``.
    package mutating func proposes(
        _ count: Int, bytes: Int, leaderBacklog backlog: UInt64, _ now: Instant
    ) -> Bool {
        load.note(backlog, now)
        guard count > 0 else { return isProposing }
        let threshold = isProposing ? Self.largeCommand / 2 : Self.largeCommand
        isLarge = bytes / count >= threshold
        isProposing =
            switch policy {
            case .leader: false
            case .everyone: now >= forwardsUntil
            case .automatic:
                now >= forwardsUntil && (isLarge || now < load.heavyUntil)
            }
        return isProposing
    }

    /// A slot was decided as proposed here. Late, because this replica is far away, it has held up
    /// others on its keys for longer than a forwarded command would have: that is worth it for large
    /// ones only.
    package mutating func succeeded(isLate: Bool, _ now: Instant) {
        if isLate && !isLarge { return failed(now) }
        allowance = min(Int(Limits.grants) * Self.unit, allowance + max(1, Self.unit / slots))
        probation = max(Self.shortestProbation, probation / 2)
    }

    /// A slot that was granted was decided otherwise.
    package mutating func failed(_ now: Instant) {
        guard retreats(now, for: probation) else { return }
        probation = min(Self.longestProbation, probation * 2)
    }

    /// A slot was decided as proposed here, and most of its commands waited for others'.
    package mutating func conflicted(_ now: Instant) {
        guard policy == .automatic else { return }
        if isLarge { return allowance = max(Self.unit, allowance / 2) }
        _ = retreats(now, for: Self.conflictProbation)
    }

    /// Halves the number of slots; false if any are left. All that goes wrong while this replica
    /// forwards counts once.
    private mutating func retreats(_ now: Instant, for span: Interval) -> Bool {
        guard now >= forwardsUntil else { return false }
        allowance /= 2
        guard allowance < Self.unit else { return false }
        allowance = Self.unit
        forwardsUntil = now + span
        return true
    }
}

/// Whether the leader has had more to do for long than it gets done. That it is relieved by what
/// follows from this does not end it at once.
private struct LeaderLoad: Hashable, Sendable {
    private(set) var heavyUntil = Instant(nanoseconds: 0)
    /// Since when the backlog has been long without a break.
    private var longSince = Instant.distantFuture

    /// Entries.
    private static let longBacklog: UInt64 = 4
    private static let patience = Interval.milliseconds(200)
    private static let relief = Interval.milliseconds(5_000)

    mutating func note(_ backlog: UInt64, _ now: Instant) {
        if backlog == 0 { longSince = .distantFuture }
        if backlog >= Self.longBacklog { longSince = min(longSince, now) }
        if now >= longSince, now.since(longSince) >= Self.patience {
            heavyUntil = now + Self.relief
        }
    }
}
