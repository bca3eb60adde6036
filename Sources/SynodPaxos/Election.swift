package import SynodBytes

/// Who leads, as far as this replica hears, and when to doubt it.
///
/// Suspicion comes after a randomized silence, or at once when the leader's stream breaks, for
/// then its process has probably died. A lost campaign is followed by a random, exponentially
/// growing back-off, so that two candidates do not refuse each other for ever.
package struct Election: Hashable, Sendable {
    private let timing: Timing
    private var chance: PRNG
    /// The highest ballot of which a leader was heard.
    private(set) var leaderBallot = Ballot.zero
    /// What that leader last said.
    private(set) var progress: Progress?
    /// When it was last heard; nil when it has been given up.
    private var lastHeard: Instant?
    /// When to doubt the leader, or to campaign again.
    package private(set) var suspectAt: Instant
    /// Campaigns lost in a row.
    private var losses: UInt64 = 0
    /// Whether another candidate was let go first since a leader was heard.
    private var hasYielded = false
    /// The highest round seen anywhere: the next campaign goes above it.
    private(set) var highestRound: UInt64

    package init(timing: Timing, chance: PRNG, promised: Ballot, now: Instant) {
        self.timing = timing
        self.chance = chance
        highestRound = promised.round
        suspectAt = now
        // A fresh start waits for a heartbeat that may be on its way, not for a whole suspicion.
        suspectAt = now + draw(timing.backOff * 8)
    }

    /// Whether a campaign by somebody else would be a disturbance.
    package func hearsLeader(_ now: Instant) -> Bool {
        guard let lastHeard else { return false }
        return now.since(lastHeard) < timing.suspicion
    }

    /// The leader heard, if it is not in doubt.
    package var leader: ReplicaID? { lastHeard == nil ? nil : leaderBallot.replica }

    package mutating func noteRound(_ round: UInt64) {
        highestRound = max(highestRound, round)
    }

    /// A leader of `ballot`, at least the highest heard, said something. True if it is one that was
    /// not followed before.
    @discardableResult
    package mutating func heard(_ ballot: Ballot, _ progress: Progress?, _ now: Instant) -> Bool {
        noteRound(ballot.round)
        precondition(ballot >= leaderBallot, "A deposed leader is answered with a nack instead.")
        let isNew = ballot > leaderBallot || lastHeard == nil
        if ballot > leaderBallot { self.progress = nil }
        leaderBallot = ballot
        if let progress { self.progress = progress }
        lastHeard = now
        losses = 0
        hasYielded = false
        suspectAt = now + timing.suspicion + draw(timing.suspicionSpread)
        return isNew
    }

    /// The stream from a replica broke. True if it was the leader's.
    package mutating func disconnected(_ replica: ReplicaID, _ now: Instant) -> Bool {
        guard lastHeard != nil, leaderBallot.replica == replica else { return false }
        lastHeard = nil
        suspectAt = now + draw(timing.backOff)
        return true
    }

    /// This replica doubts its leader from now on.
    package mutating func suspect() {
        lastHeard = nil
    }

    /// Tries again soon: the canvass found no majority that would promise.
    package mutating func retryCanvass(_ now: Instant) {
        suspectAt = now + timing.backOff + draw(timing.backOff * 4)
    }

    /// Lets another candidate go first.
    package mutating func yield(_ now: Instant) {
        #if SYNOD_PLANTED_BUGS
            if PlantedBug.neverBacksOff.isActive { return }
        #endif
        suspectAt = max(suspectAt, now + timing.suspicion / 2 + draw(timing.suspicionSpread))
    }

    /// Lets another candidate go first, unless no leader came of that the last time: whoever asks
    /// again and again may never reach a majority. Returns whether it did.
    package mutating func yieldOnce(_ now: Instant) -> Bool {
        #if SYNOD_PLANTED_BUGS
            if PlantedBug.neverBacksOff.isActive { return false }
        #endif
        guard !hasYielded else { return false }
        hasYielded = true
        yield(now)
        return true
    }

    /// Waits longer after each lost campaign. Returns for how long.
    package mutating func backOff(_ now: Instant) -> Interval {
        #if SYNOD_PLANTED_BUGS
            if PlantedBug.neverBacksOff.isActive {
                suspectAt = now
                return .milliseconds(0)
            }
        #endif
        let cap = timing.election
        let grown = min(cap, timing.backOff * (2 << min(losses, 10)))
        losses += 1
        let span = draw(grown)
        suspectAt = now + timing.backOff + span
        return span
    }

    /// A ballot of this replica's own, above all it has seen.
    package mutating func nextBallot(_ replica: ReplicaID) -> Ballot {
        highestRound += 1
        return Ballot(round: highestRound, replica: replica)
    }

    /// Replaces all that only decides when to campaign next.
    package mutating func campaignDue(at instant: Instant, chance: PRNG) {
        self.chance = chance
        suspectAt = instant
        losses = 0
        hasYielded = false
    }

    private mutating func draw(_ span: Interval) -> Interval {
        Interval(nanoseconds: chance.below(span.nanoseconds + 1))
    }
}
