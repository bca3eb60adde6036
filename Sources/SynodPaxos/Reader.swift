import DequeModule
import SynodBytes

/// Linearizable reads at any replica, without the leader and without clocks (after Charapko et
/// al., *Linearizable Quorum Reads in Paxos*, 2019).
///
/// A write that was acknowledged before the read began is accepted by a majority; any majority
/// that is asked afterwards shares an acceptor with it. That one either knows it to be chosen, or
/// says in which slot it has accepted something that touches what the read asks for, or knows that a
/// slot before one that it has accepted may have something of the kind. So the read waits until
/// this replica has executed everything that any of them knows to be chosen, and of that slot what
/// the read asks for. Reads that queued up share one round of questions, as many as fit one; one
/// round is under way at a time.
///
/// A departure from the paper, where a read waits for whatever may be chosen: here it waits for
/// writes to other keys only if they are known to be.
package struct Reader: Hashable, Sendable {
    private let membership: Membership
    private let me: Int
    /// Unique over restarts: an answer to an old question must not count for a new one.
    private var nextRound: UInt64
    private var queued: Deque<Read> = []
    /// Reads that were not released yet.
    private var waiting = 0
    /// Bytes of what they ask for.
    private var waitingBytes = 0
    private var round: Round?
    /// Bounds known, not yet executed through.
    private var held = HeldReads()
    /// Since when a read has waited for something to be executed, and none was released; in the
    /// distant future if none waits for that.
    private(set) var waitingSince = Instant.distantFuture
    /// When to look for reads whose clients have given up.
    private var expireAt = Instant.distantFuture

    private struct Round: Hashable, Sendable {
        let number: UInt64
        var reads: [Read]
        let scopes: ReadScopes
        var bound: Slot
        /// By read: the last slot that touches what it asks for, as far as anybody knows.
        var slots: [Int: Slot] = [:]
        /// By read: the last slot through which everything has to be executed, for it may.
        var bounds: [Int: Slot] = [:]
        var answeredBy: ReplicaSet
        var repeatAt: Instant

        mutating func add(_ answer: ReadAnswer) {
            bound = max(bound, answer.chosenThrough)
            for conflict in answer.conflicts where conflict.read < reads.count {
                if conflict.isVague {
                    bounds[conflict.read] = max(bounds[conflict.read] ?? .zero, conflict.slot)
                } else {
                    slots[conflict.read] = max(slots[conflict.read] ?? .zero, conflict.slot)
                }
            }
        }
    }

    /// - Parameter seed: drawn at this start: a replica that has lost its disk counts its starts anew.
    package init(membership: Membership, me: Int, boot: UInt64, seed: UInt64) {
        self.membership = membership
        self.me = me
        nextRound = boot << 40 | mix64(seed) >> 25
    }

    /// Whether another read may wait.
    package var hasRoom: Bool {
        waiting < Limits.pendingReads && waitingBytes < Limits.pendingReadBytes
    }

    package mutating func request(_ read: Read) {
        waiting += 1
        waitingBytes += read.byteCount
        expireAt = min(expireAt, read.deadline)
        #if SYNOD_PLANTED_BUGS
            if PlantedBug.reusesReadBound.isActive, round != nil {
                return round!.reads.append(read)
            }
        #endif
        queued.append(read)
    }

    /// When unanswered questions are asked again.
    package var repeatAt: Instant { round?.repeatAt ?? .distantFuture }

    /// What the next round will ask for: what is queued, as far as it fits one message. Nil if nothing
    /// is, or a round is under way.
    package var nextScopes: ReadScopes? {
        guard round == nil, !queued.isEmpty else { return nil }
        return ReadScopes(queued.burst(\.byteCount).map(\.scope))
    }

    /// Begins a round.
    /// - Parameter scopes: of the reads that are queued first.
    /// - Parameter answer: of this replica itself.
    package mutating func begin(
        _ scopes: ReadScopes, _ answer: ReadAnswer, now: Instant, retransmission: Interval,
        _ outbox: inout Outbox
    ) {
        var answeredBy = ReplicaSet()
        answeredBy.insert(me)
        nextRound += 1
        var round = Round(
            number: nextRound, reads: Array(queued.prefix(scopes.count)), scopes: scopes,
            bound: .zero, answeredBy: answeredBy, repeatAt: now + retransmission)
        round.add(answer)
        self.round = round
        queued.removeFirst(scopes.count)
        if membership.count > 1 {
            outbox.send(.readQuery(round: nextRound, scopes: scopes), to: .others)
        }
        finishRound()
    }

    package mutating func answered(_ number: UInt64, _ answer: ReadAnswer, by index: Int) {
        guard round?.number == number else { return }
        round!.answeredBy.insert(index)
        round!.add(answer)
        finishRound()
    }

    /// Asks those again who have not answered.
    package mutating func repeatUnanswered(
        _ now: Instant, retransmission: Interval, _ outbox: inout Outbox
    ) {
        guard let current = round, current.repeatAt <= now else { return }
        // Each time after another while, so that it never keeps step with what fills another's inbox.
        let jitter = mix64(current.number ^ now.nanoseconds) % retransmission.nanoseconds
        round!.repeatAt = now + retransmission + Interval(nanoseconds: jitter)
        for (index, replica) in membership.replicas.enumerated()
        where !current.answeredBy.contains(index) {
            outbox.send(
                .readQuery(round: current.number, scopes: current.scopes), to: .replica(replica))
        }
    }

    /// Releases the reads for which everything is executed that they wait for.
    package mutating func release(_ learner: Learner, _ now: Instant, _ outbox: inout Outbox) {
        guard !held.isEmpty else { return }
        let released = held.release(learner)
        outbox.readable.append(contentsOf: released.map(\.released))
        forget(released)
        if held.isEmpty {
            waitingSince = .distantFuture
        } else if !released.isEmpty || waitingSince == .distantFuture {
            waitingSince = now
        }
    }

    /// Forgets reads whose clients have given up, but for those that are being asked for.
    /// - Parameter spacing: how often to look at most.
    package mutating func expire(_ now: Instant, spacing: Interval) {
        guard now >= expireAt else { return }
        expireAt = waiting == 0 ? .distantFuture : now + spacing
        // All wait equally long: those that gave up are in front.
        while let read = queued.first, read.deadline <= now {
            queued.removeFirst()
            forget(read)
        }
        forget(held.expire(now))
        if held.isEmpty { waitingSince = .distantFuture }
    }

    private mutating func forget(_ items: [HeldReads.Item]) {
        for item in items { forget(item.read) }
    }

    private mutating func forget(_ read: Read) {
        waiting -= 1
        waitingBytes -= read.byteCount
    }

    private mutating func finishRound() {
        guard let finished = round, isAnswered(finished) else { return }
        for (place, read) in finished.reads.enumerated() {
            let bound = max(finished.bound, finished.bounds[place] ?? .zero)
            let slot = finished.slots[place].flatMap { $0 > bound ? $0 : nil }
            held.add(HeldReads.Item(read: read, bound: bound, slot: slot))
        }
        round = nil
    }

    private func isAnswered(_ round: Round) -> Bool {
        #if SYNOD_PLANTED_BUGS
            if PlantedBug.readsLocally.isActive { return true }
        #endif
        return membership.isQuorum(round.answeredBy)
    }
}

/// A linearizable read of a client.
package struct Read: Hashable, Sendable {
    package let id: ReadID
    package let scope: ReadScope
    /// When its client gives up. Reads come in the order of their deadlines.
    package let deadline: Instant
    /// Upper bound of the bytes that it takes in a question, but for a few.
    let byteCount: Int

    package init(_ id: ReadID, _ scope: ReadScope, deadline: Instant) {
        self.id = id
        self.scope = scope
        self.deadline = deadline
        byteCount = scope.byteCount
    }
}

/// A read that may run: what it asks for is executed through the slot, which may lie ahead of the
/// prefix.
package struct ReleasedRead: Hashable, Sendable {
    package let id: ReadID
    package let through: Slot

    package init(_ id: ReadID, through: Slot) {
        self.id = id
        self.through = through
    }
}

/// What one replica knows of what a round's reads ask for.
package struct ReadAnswer: Hashable, Sendable {
    /// Everything through here is chosen.
    package let chosenThrough: Slot
    package let conflicts: [ReadConflict]

    package init(chosenThrough: Slot, conflicts: [ReadConflict]) {
        self.chosenThrough = chosenThrough
        self.conflicts = conflicts
    }
}
