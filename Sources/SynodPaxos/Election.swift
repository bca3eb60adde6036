package import SynodBytes

/// Who leads, as far as this replica hears, and when to doubt it.
///
/// Suspicion comes after a randomized silence, or at once when the leader's stream breaks, for
/// then its process has probably died. A lost campaign is followed by a random, exponentially
/// growing back-off, so that two candidates do not refuse each other for ever. And a campaign that
/// was promised is left alone for a while, which grows with every one that came to nothing: where
/// promises take long because a disk is slow, candidates would interrupt each other for ever. Each
/// candidate is let go first once, until it is this replica's turn: promises to one may be lost.
package struct Election: Hashable, Sendable {
    private let timing: Timing
    private var chance: PRNG
    /// The highest ballot of which a leader was heard.
    private(set) var leaderBallot = Ballot.zero
    /// Until when that leader is taken to lead no more, because it looked for one itself.
    private var overUntil: Instant?
    /// What that leader last said.
    private(set) var progress: Progress?
    /// When it was last heard; nil when it has been given up.
    private var lastHeard: Instant?
    /// When what the leader has chosen last grew.
    private var advancedAt: Instant
    /// Since when there has been a way to a leader without a long break: where much is lost, ways are
    /// lost and found again all the time.
    private(set) var reachableSince: Instant?
    /// Since when there has been none.
    private var unreachableSince: Instant?
    /// Until when the leader is taken not to hear this replica, because it said so or because
    /// nothing comes of what is sent to it.
    private var unheardUntil: Instant?
    /// Peers through which nothing came of it either.
    private var shunned: [ReplicaID] = []
    /// The way to the leader when it is not heard here, or does not hear this replica.
    private(set) var relay: Relay?
    /// When to doubt the leader, or to campaign again.
    package private(set) var suspectAt: Instant
    /// Campaigns lost in a row.
    private var losses: UInt64 = 0
    /// Whether another candidate was let go first since a leader was heard.
    private var hasYielded = false
    /// Whose campaign is under way, and until when no other is welcome.
    private var favoured: Favoured?
    /// Candidates that were let go first since a leader was heard, or this replica has campaigned.
    private var letFirst: [ReplicaID] = []
    /// Campaigns, its own or others', that were given all their time here and brought no leader, since
    /// one was heard.
    private var fruitless: UInt64 = 0
    /// The highest round seen anywhere: the next campaign goes above it.
    private(set) var highestRound: UInt64

    /// A peer that hears the leader and is heard.
    struct Relay: Hashable, Sendable {
        let peer: ReplicaID
        /// When the peer has last said so.
        fileprivate(set) var confirmedAt: Instant
    }

    private struct Favoured: Hashable, Sendable {
        let candidate: ReplicaID
        let until: Instant
    }

    package init(timing: Timing, chance: PRNG, promised: Ballot, now: Instant) {
        self.timing = timing
        self.chance = chance
        highestRound = promised.round
        suspectAt = now
        advancedAt = now
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
        hearsLeader(now) && !isUnheard ? progress : nil
    }

    /// The leader, if it is heard or there is a way to it.
    package var leader: ReplicaID? {
        lastHeard == nil && relay == nil ? nil : leaderBallot.replica
    }

    /// Whether the leader has brought nothing forward for long, as far as is heard here.
    package func isStalled(_ now: Instant) -> Bool { now.since(advancedAt) >= timing.stall }

    /// Whether the leader is heard, but what is sent to it gets lost.
    package var isUnheard: Bool { unheardUntil != nil }

    /// Whom to send what is meant for the leader.
    package var nextHop: ReplicaID? {
        if lastHeard != nil && !isUnheard { return leaderBallot.replica }
        return relay?.peer ?? leader
    }

    /// Whether there is a leader to be doubted.
    package var isHearing: Bool { lastHeard != nil }

    /// How long a canvass waits for answers before it asks again. Soon at first: whoever still heard
    /// the leader a moment ago may have lost it by now. Where there is another way to the leader,
    /// it confirms that way at the pace of heartbeats; and where the leader is heard, and of no use, asking
    /// more often would fill narrow links, and keep it from being of use.
    package var canvassInterval: Interval {
        relay == nil && !isHearing ? timing.backOff : timing.heartbeat
    }

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
        if ballot > leaderBallot { follow(ballot, now) }
        if let progress { note(progress, now) }
        lastHeard = now
        noteReachability(now)
        if !isUnheard { relay = nil }
        forgetCampaigns()
        suspectAt = now + timing.suspicion + draw(timing.suspicionSpread)
        return isNew
    }

    private mutating func forgetCampaigns() {
        losses = 0
        hasYielded = false
        favoured = nil
        letFirst = []
        fruitless = 0
    }

    /// Another leader than the one before, of which nothing else is known.
    private mutating func follow(_ ballot: Ballot, _ now: Instant) {
        noteRound(ballot.round)
        leaderBallot = ballot
        overUntil = nil
        progress = nil
        advancedAt = now
        lastHeard = nil
        reachableSince = nil
        unreachableSince = nil
        unheardUntil = nil
        relay = nil
        shunned = []
    }

    private mutating func note(_ progress: Progress, _ now: Instant) {
        let before = self.progress?.chosenThrough ?? .zero
        if progress.chosenThrough > before { advancedAt = now }
        if progress.chosenThrough >= before { self.progress = progress }
    }

    /// The leader followed says that it does not hear this replica.
    package mutating func unheard(_ now: Instant) {
        unheardUntil = max(unheardUntil ?? now, now + timing.suspicion)
    }

    /// Nothing comes of what is sent toward the leader: another way is looked for, and all are
    /// tried in turn.
    package mutating func unserved(_ now: Instant) {
        unheardUntil = now + timing.stall * 2
        if let relay { shunned.append(relay.peer) } else { shunned = [] }
        relay = nil
    }

    /// A peer hears the leader that said this. True if that opens another way to a leader who is
    /// not heard here, or does not hear this replica; what is left of this replica's own
    /// leadership is no way to anybody.
    package mutating func reported(
        _ progress: Progress, by peer: ReplicaID, to id: ReplicaID, _ now: Instant
    ) -> Bool {
        guard progress.ballot >= leaderBallot, progress.ballot.replica != id,
            !isOver(progress.ballot, now)
        else { return false }
        if progress.ballot > leaderBallot { follow(progress.ballot, now) }
        guard lastHeard == nil || isUnheard else { return false }
        note(progress, now)
        if relay?.peer == peer { relay?.confirmedAt = now }
        guard relay == nil, !shunned.contains(peer) else { return false }
        relay = Relay(peer: peer, confirmedAt: now)
        noteReachability(now)
        return true
    }

    /// A replica looks for a leader. Whoever does that leads no more, though things that it said as
    /// the leader may still be on their way: one that was stopped for a while, say, and finds
    /// itself alone. For some time only, lest a question from an earlier life be taken for one of now.
    package mutating func asked(by replica: ReplicaID, for round: UInt64, _ now: Instant) {
        guard replica == leaderBallot.replica, round > leaderBallot.round else { return }
        overUntil = now + timing.suspicion
        relay = nil
        suspect(now)
    }

    /// Whether the leader of the ballot is taken to lead no more.
    package func isOver(_ ballot: Ballot, _ now: Instant) -> Bool {
        guard let overUntil else { return false }
        return ballot == leaderBallot && now < overUntil
    }

    /// A peer is no way to the leader any more, if it was.
    package mutating func dropRelay(_ peer: ReplicaID, _ now: Instant) {
        guard relay?.peer == peer else { return }
        relay = nil
        noteReachability(now)
    }

    private mutating func noteReachability(_ now: Instant) {
        guard leader != nil else {
            if unreachableSince == nil { unreachableSince = now }
            shunned = []
            return
        }
        if let unreachableSince, now.since(unreachableSince) >= timing.stall {
            reachableSince = nil
        }
        unreachableSince = nil
        if reachableSince == nil { reachableSince = now }
    }

    /// Gives up a way to the leader that was not confirmed for as long as a leader may be silent,
    /// and tries again those of which nothing came long ago.
    package mutating func expireWays(_ now: Instant) {
        if let unheardUntil, now >= unheardUntil {
            self.unheardUntil = nil
            shunned = []
        }
        guard let relay, now.since(relay.confirmedAt) >= timing.suspicion else { return }
        dropRelay(relay.peer, now)
    }

    /// The stream from a replica broke. True if it was the leader's.
    package mutating func disconnected(_ replica: ReplicaID, _ now: Instant) -> Bool {
        dropRelay(replica, now)
        if favoured?.candidate == replica {
            favoured = nil
            suspectAt = min(suspectAt, now + draw(timing.backOff))
        }
        guard lastHeard != nil, leaderBallot.replica == replica else { return false }
        suspect(now)
        suspectAt = now + draw(timing.backOff)
        return true
    }

    /// This replica doubts its leader from now on.
    package mutating func suspect(_ now: Instant) {
        lastHeard = nil
        noteReachability(now)
    }

    /// Tries again soon: the canvass found no majority that would promise.
    package mutating func retryCanvass(_ now: Instant) {
        suspectAt = now + canvassInterval + draw(timing.backOff * 4)
    }

    // MARK: Candidates

    /// How much more time than the first a campaign is given. Sixteen times, at most: that is about
    /// three election timeouts.
    private var growth: UInt64 { 1 << min(fruitless, 4) }

    /// For how long no other campaign is welcome beside one that was promised.
    private var patience: Interval { timing.suspicion / 2 * growth }

    /// How long a campaign of this replica's own may take.
    package var campaignLimit: Interval { max(timing.election, patience) }

    /// Whether a campaign would disturb none that is under way.
    package func welcomes(_ candidate: ReplicaID, _ now: Instant) -> Bool {
        guard let favoured else { return true }
        return favoured.candidate == candidate || now >= favoured.until
    }

    /// For some time no campaign but the candidate's is welcome here. Returns until when.
    private mutating func favour(_ candidate: ReplicaID, _ now: Instant) -> Instant {
        let until = now + patience + draw(timing.suspicionSpread * growth)
        favoured = Favoured(candidate: candidate, until: until)
        return until
    }

    /// Lets a candidate go first that was promised, if it was not let go first before.
    package mutating func yield(to candidate: ReplicaID, _ now: Instant) {
        #if SYNOD_PLANTED_BUGS
            if PlantedBug.neverBacksOff.isActive { return }
        #endif
        guard !letFirst.contains(candidate) else { return }
        letFirst.append(candidate)
        suspectAt = max(suspectAt, favour(candidate, now))
    }

    /// This replica was welcome to campaign, and does.
    package mutating func campaigns(_ id: ReplicaID, _ now: Instant) {
        letFirst = []
        _ = favour(id, now)
    }

    /// Its campaign has ended, because somebody has promised more or because its time was over.
    package mutating func hasLost(_ id: ReplicaID, isOutOfTime: Bool) {
        if favoured?.candidate == id { favoured = nil }
        if isOutOfTime { fruitless += 1 }
    }

    /// This replica stops waiting for whoever it let go first.
    package mutating func losePatience() {
        guard favoured != nil else { return }
        favoured = nil
        fruitless += 1
    }

    /// Lets another candidate go first, unless no leader came of that the last time: whoever asks
    /// again and again may never reach a majority. Returns whether it did.
    package mutating func yieldOnce(_ now: Instant) -> Bool {
        #if SYNOD_PLANTED_BUGS
            if PlantedBug.neverBacksOff.isActive { return false }
        #endif
        guard !hasYielded else { return false }
        hasYielded = true
        suspectAt = max(suspectAt, now + timing.suspicion / 2 + draw(timing.suspicionSpread))
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
        reachableSince = leader == nil ? nil : instant
        unreachableSince = nil
        forgetCampaigns()
    }

    private mutating func draw(_ span: Interval) -> Interval {
        Interval(nanoseconds: chance.below(span.nanoseconds + 1))
    }
}
