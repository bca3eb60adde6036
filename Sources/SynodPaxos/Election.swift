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
    /// Until when the leader is taken not to hear this replica, because it said so.
    private var unheardUntil: Instant?
    /// The way to the leader when it is not heard here, or does not hear this replica.
    private(set) var relay: Relay?
    /// When to doubt the leader, or to campaign again.
    package private(set) var suspectAt: Instant
    /// Campaigns lost in a row.
    private var losses: UInt64 = 0
    /// Whether another candidate was let go first since a leader was heard.
    private var hasYielded = false
    /// The highest round seen anywhere: the next campaign goes above it.
    private(set) var highestRound: UInt64

    /// A peer that hears the leader and is heard.
    struct Relay: Hashable, Sendable {
        let peer: ReplicaID
        /// When the peer has last said so.
        fileprivate(set) var confirmedAt: Instant
    }

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

    /// What is to be said of the leader to a replica that looks for a way to it; nil unless this
    /// one hears it and is heard, not through others: else two who have lost it would name each
    /// other as the way to it.
    package func report(_ now: Instant) -> Progress? {
        hearsLeader(now) && unheardUntil == nil ? progress : nil
    }

    /// The leader, if it is heard or there is a way to it.
    package var leader: ReplicaID? {
        lastHeard == nil && relay == nil ? nil : leaderBallot.replica
    }

    /// Whom to send what is meant for the leader.
    package var nextHop: ReplicaID? {
        if lastHeard != nil && unheardUntil == nil { return leaderBallot.replica }
        return relay?.peer ?? leader
    }

    /// Whether there is a leader to be doubted.
    package var isHearing: Bool { lastHeard != nil }

    /// How long a canvass waits for answers before it asks again. Soon at first: whoever still heard
    /// the leader a moment ago may have lost it by now. Where there is another way to the leader,
    /// it confirms that way at the pace of heartbeats.
    package var canvassInterval: Interval { relay == nil ? timing.backOff : timing.heartbeat }

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
        if ballot > leaderBallot { follow(ballot) }
        if let progress, progress.chosenThrough >= self.progress?.chosenThrough ?? .zero {
            self.progress = progress
        }
        lastHeard = now
        if unheardUntil == nil { relay = nil }
        losses = 0
        hasYielded = false
        suspectAt = now + timing.suspicion + draw(timing.suspicionSpread)
        return isNew
    }

    /// Another leader than the one before, of which nothing else is known.
    private mutating func follow(_ ballot: Ballot) {
        noteRound(ballot.round)
        leaderBallot = ballot
        progress = nil
        lastHeard = nil
        unheardUntil = nil
        relay = nil
    }

    /// The leader followed says that it does not hear this replica.
    package mutating func unheard(_ now: Instant) {
        unheardUntil = now + timing.suspicion
    }

    /// A peer hears the leader that said this. True if that opens another way to a leader who is
    /// not heard here, or does not hear this replica; what is left of this replica's own
    /// leadership is no way to anybody.
    package mutating func reported(
        _ progress: Progress, by peer: ReplicaID, to id: ReplicaID, _ now: Instant
    ) -> Bool {
        guard progress.ballot >= leaderBallot, progress.ballot.replica != id else { return false }
        if progress.ballot > leaderBallot { follow(progress.ballot) }
        guard lastHeard == nil || unheardUntil != nil else { return false }
        if self.progress == nil { self.progress = progress }
        if relay?.peer == peer { relay?.confirmedAt = now }
        guard relay == nil else { return false }
        relay = Relay(peer: peer, confirmedAt: now)
        return true
    }

    /// A peer hears no leader: it is no way to one.
    package mutating func hearsNobody(_ peer: ReplicaID) {
        if relay?.peer == peer { relay = nil }
    }

    /// Gives up a way to the leader that was not confirmed for as long as a leader may be silent.
    package mutating func expireRelay(_ now: Instant) {
        if let unheardUntil, now >= unheardUntil { self.unheardUntil = nil }
        guard let relay, now.since(relay.confirmedAt) >= timing.suspicion else { return }
        self.relay = nil
    }

    /// The stream from a replica broke. True if it was the leader's.
    package mutating func disconnected(_ replica: ReplicaID, _ now: Instant) -> Bool {
        hearsNobody(replica)
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
        suspectAt = now + canvassInterval + draw(timing.backOff * 4)
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
