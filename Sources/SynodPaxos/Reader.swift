import SynodBytes

/// Linearizable reads at any replica, without the leader and without clocks (after Charapko et
/// al., *Linearizable Quorum Reads in Paxos*, 2019).
///
/// A write that was acknowledged before the read began is accepted by a majority; any majority
/// that is asked afterwards shares an acceptor with it. That one either knows it to be chosen, or
/// says in which slot it has accepted something that touches what the read asks for, or knows that a
/// slot before one that it has accepted may have something of the kind. So the read waits until this replica has executed everything that any of them knows to be chosen, and of
/// that slot what the read asks for. All reads that queued up share one round of questions; one
/// round is under way at a time.
///
/// A departure from the paper, where a read waits for whatever may be chosen: here it waits for
/// writes to other keys only if they are known to be.
package struct Reader: Hashable, Sendable {
    private let membership: Membership
    private let me: Int
    /// Unique over restarts: an answer to an old question must not count for a new one.
    private var nextRound: UInt64
    private var queued: [Read] = []
    /// Reads that were not released yet.
    private var waiting = 0
    private var round: Round?
    /// Bounds known, not yet executed through.
    private var bounded: [Bounded] = []
    /// Reads that wait for what they ask for in a slot, too.
    private var held: [Held] = []
    /// Since when a read has waited for something to be executed, and none was released; in the
    /// distant future if none waits for that.
    private(set) var waitingSince = Instant.distantFuture

    private struct Read: Hashable, Sendable {
        let id: ReadID
        let scope: ReadScope
    }

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

    private struct Bounded: Hashable, Sendable {
        let bound: Slot
        let reads: [ReadID]
    }

    private struct Held: Hashable, Sendable {
        let bound: Slot
        let slot: Slot
        let read: Read
    }

    /// - Parameter seed: drawn at this start: a replica that has lost its disk counts its starts anew.
    package init(membership: Membership, me: Int, boot: UInt64, seed: UInt64) {
        self.membership = membership
        self.me = me
        nextRound = boot << 40 | mix64(seed) >> 25
    }

    /// Whether another read may wait.
    package var hasRoom: Bool { waiting < Limits.pendingReads }

    package mutating func request(_ read: ReadID, _ scope: ReadScope) {
        waiting += 1
        #if SYNOD_PLANTED_BUGS
            if PlantedBug.reusesReadBound.isActive, round != nil {
                return round!.reads.append(Read(id: read, scope: scope))
            }
        #endif
        queued.append(Read(id: read, scope: scope))
    }

    /// When unanswered questions are asked again.
    package var repeatAt: Instant { round?.repeatAt ?? .distantFuture }

    /// What the next round will ask for: all queued reads share it. Nil if nothing is queued, or a
    /// round is under way.
    package var nextScopes: ReadScopes? {
        round == nil && !queued.isEmpty ? ReadScopes(queued.map(\.scope)) : nil
    }

    /// Begins a round.
    /// - Parameter answer: of this replica itself.
    package mutating func begin(
        _ scopes: ReadScopes, _ answer: ReadAnswer, now: Instant, retransmission: Interval,
        _ outbox: inout Outbox
    ) {
        var answeredBy = ReplicaSet()
        answeredBy.insert(me)
        nextRound += 1
        var round = Round(
            number: nextRound, reads: queued, scopes: scopes, bound: .zero,
            answeredBy: answeredBy, repeatAt: now + retransmission)
        round.add(answer)
        self.round = round
        queued = []
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
        round!.repeatAt = now + retransmission
        for (index, replica) in membership.replicas.enumerated()
        where !current.answeredBy.contains(index) {
            outbox.send(
                .readQuery(round: current.number, scopes: current.scopes), to: .replica(replica))
        }
    }

    /// Releases the reads for which everything is executed that they wait for.
    package mutating func release(_ learner: Learner, _ now: Instant, _ outbox: inout Outbox) {
        guard !bounded.isEmpty || !held.isEmpty else { return }
        let before = waiting
        bounded.removeAll { item in
            guard item.bound <= learner.chosenThrough else { return false }
            outbox.readable.append(
                contentsOf: item.reads.map { ReleasedRead($0, through: item.bound) })
            waiting -= item.reads.count
            return true
        }
        held.removeAll { item in
            guard item.bound <= learner.chosenThrough, Self.isExecuted(item, by: learner) else {
                return false
            }
            outbox.readable.append(ReleasedRead(item.read.id, through: item.slot))
            waiting -= 1
            return true
        }
        if bounded.isEmpty && held.isEmpty {
            waitingSince = .distantFuture
        } else if waiting < before || waitingSince == .distantFuture {
            waitingSince = now
        }
    }

    /// Who reads several keys reads them as they were at one moment: those of a range right behind
    /// the slot, others when everything before it is executed. On one key, commands are executed in
    /// order anyway.
    private static func isExecuted(_ item: Held, by learner: Learner) -> Bool {
        switch item.read.scope {
        case .key(let key): learner.hasExecuted(key, in: item.slot)
        case .range(let span): learner.hasExecutedAll(touching: span, through: item.slot)
        case .spans, .everything: item.slot <= learner.chosenThrough
        }
    }

    private mutating func finishRound() {
        guard let finished = round, isAnswered(finished) else { return }
        var free: [ReadID] = []
        for (place, read) in finished.reads.enumerated() {
            let bound = max(finished.bound, finished.bounds[place] ?? .zero)
            if let slot = finished.slots[place], slot > bound {
                held.append(Held(bound: bound, slot: slot, read: read))
            } else if bound > finished.bound {
                bounded.append(Bounded(bound: bound, reads: [read.id]))
            } else {
                free.append(read.id)
            }
        }
        if !free.isEmpty { bounded.append(Bounded(bound: finished.bound, reads: free)) }
        round = nil
    }

    private func isAnswered(_ round: Round) -> Bool {
        #if SYNOD_PLANTED_BUGS
            if PlantedBug.readsLocally.isActive { return true }
        #endif
        return membership.isQuorum(round.answeredBy)
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
