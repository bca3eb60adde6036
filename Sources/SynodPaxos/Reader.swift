/// Linearizable reads at any replica, without the leader and without clocks (after Charapko et
/// al., *Linearizable Quorum Reads in Paxos*, 2019).
///
/// A write that was acknowledged before the read began is accepted by a majority; any majority
/// that is asked afterwards shares an acceptor with it. So the read waits until this replica has
/// executed everything through the highest slot that a majority may know to be chosen. All reads
/// that queued up share one round of questions; one round is under way at a time.
package struct Reader: Hashable, Sendable {
    private let membership: Membership
    private let me: Int
    /// Unique over restarts: an answer to an old question must not count for a new one.
    private var nextRound: UInt64
    private var queued: [ReadID] = []
    /// Reads that were not released yet.
    private var waiting = 0
    private var round: Round?
    /// Bounds known, not yet executed through; in the order of their rounds.
    private var bounded: [Bounded] = []
    /// Since when a read has waited for something to be executed, and none was released; in the
    /// distant future if none waits for that.
    private(set) var waitingSince = Instant.distantFuture

    private struct Round: Hashable, Sendable {
        let number: UInt64
        var reads: [ReadID]
        var bound: Slot
        var answeredBy: ReplicaSet
        var repeatAt: Instant
    }

    private struct Bounded: Hashable, Sendable {
        let bound: Slot
        let reads: [ReadID]
    }

    package init(membership: Membership, me: Int, boot: UInt64) {
        self.membership = membership
        self.me = me
        nextRound = boot << 40
    }

    /// Whether another read may wait.
    package var hasRoom: Bool { waiting < Limits.pendingReads }

    package mutating func request(_ read: ReadID) {
        waiting += 1
        #if SYNOD_PLANTED_BUGS
            if PlantedBug.reusesReadBound.isActive, round != nil {
                return round!.reads.append(read)
            }
        #endif
        queued.append(read)
    }

    /// When unanswered questions are asked again.
    package var repeatAt: Instant { round?.repeatAt ?? .distantFuture }

    /// Begins a round for all queued reads, unless one is under way.
    /// - Parameter bound: the own acceptor's answer.
    package mutating func begin(
        _ bound: @autoclosure () -> Slot, now: Instant, retransmission: Interval,
        _ outbox: inout Outbox
    ) {
        guard round == nil, !queued.isEmpty else { return }
        var answeredBy = ReplicaSet()
        answeredBy.insert(me)
        nextRound += 1
        round = Round(
            number: nextRound, reads: queued, bound: bound(), answeredBy: answeredBy,
            repeatAt: now + retransmission)
        queued = []
        if membership.count > 1 { outbox.send(.readQuery(round: nextRound), to: .others) }
        finishRound()
    }

    package mutating func answered(_ number: UInt64, bound: Slot, by index: Int) {
        guard round?.number == number else { return }
        round!.answeredBy.insert(index)
        round!.bound = max(round!.bound, bound)
        finishRound()
    }

    /// Asks those again who have not answered.
    package mutating func repeatUnanswered(
        _ now: Instant, retransmission: Interval, _ outbox: inout Outbox
    ) {
        guard let current = round, current.repeatAt <= now else { return }
        round!.repeatAt = now + retransmission
        for (index, replica) in membership.replicas.enumerated()
        where !current.answeredBy.contains(index) {
            outbox.send(.readQuery(round: current.number), to: .replica(replica))
        }
    }

    /// Releases the reads whose bound is executed.
    package mutating func release(
        appliedThrough: Slot, _ now: Instant, _ outbox: inout Outbox
    ) {
        guard !bounded.isEmpty else { return }
        let before = waiting
        bounded.removeAll { item in
            guard item.bound <= appliedThrough else { return false }
            outbox.readable.append(contentsOf: item.reads)
            waiting -= item.reads.count
            return true
        }
        if bounded.isEmpty {
            waitingSince = .distantFuture
        } else if waiting < before || waitingSince == .distantFuture {
            waitingSince = now
        }
    }

    private mutating func finishRound() {
        guard let finished = round, isAnswered(finished) else { return }
        bounded.append(Bounded(bound: finished.bound, reads: finished.reads))
        round = nil
    }

    private func isAnswered(_ round: Round) -> Bool {
        #if SYNOD_PLANTED_BUGS
            if PlantedBug.readsLocally.isActive { return true }
        #endif
        return membership.isQuorum(round.answeredBy)
    }
}
