/// The proposer in phase 1: first asks around whether a campaign would be welcome, then collects
/// promises, and from them finds what it has to propose (*Paxos Made Simple* §2.2, phase 1).
package struct Campaign: Hashable, Sendable {
    /// Where the campaign stands.
    package enum Phase: Hashable, Sendable {
        /// Asking whether anyone hears a leader. Goes to `persisting`.
        case canvassing(welcomedBy: ReplicaSet)
        /// The own promise must be durable before anyone hears of the ballot: a restarted
        /// replica must not use it again. Goes to `preparing`.
        case persisting(Ballot, until: WriteTicket)
        /// Collecting promises, then learning what those who promised have learned. Ends in
        /// leading, with a nack, or at the deadline.
        case preparing(Ballot)
    }

    private(set) var phase: Phase
    /// The round that the canvass asks about.
    package let round: UInt64
    /// How often a canvass that is not answered is repeated.
    package let canvassInterval: Interval
    /// Given up after this.
    package let deadline: Instant
    /// When what was not answered is said again.
    package var repeatAt: Instant
    private(set) var promisedBy = ReplicaSet()
    private var promises: [Promise] = []
    /// How far any acceptor that promised has learned, and the index of one that has.
    package private(set) var farthest = Reach()

    package struct Reach: Hashable, Sendable {
        package fileprivate(set) var chosenThrough = Slot.zero
        package fileprivate(set) var index = 0
    }

    package init(
        round: UInt64, canvassInterval: Interval, deadline: Instant, repeatAt: Instant
    ) {
        phase = .canvassing(welcomedBy: ReplicaSet())
        self.round = round
        self.canvassInterval = canvassInterval
        self.deadline = deadline
        self.repeatAt = repeatAt
    }

    /// A replica hears no leader either. Returns who does so far; nil if that no longer matters.
    package mutating func welcomed(by index: Int) -> ReplicaSet? {
        guard case .canvassing(var welcomedBy) = phase else { return nil }
        welcomedBy.insert(index)
        phase = .canvassing(welcomedBy: welcomedBy)
        return welcomedBy
    }

    package mutating func persist(_ ballot: Ballot, until ticket: WriteTicket) {
        phase = .persisting(ballot, until: ticket)
    }

    package mutating func prepare(_ ballot: Ballot) {
        phase = .preparing(ballot)
    }

    package var ballot: Ballot? {
        switch phase {
        case .canvassing: nil
        case .persisting(let ballot, _), .preparing(let ballot): ballot
        }
    }

    /// A promise of the campaign's ballot; a second one of the same acceptor changes nothing.
    package mutating func promised(_ promise: Promise, by index: Int) {
        guard !promisedBy.contains(index) else { return }
        promisedBy.insert(index)
        promises.append(promise)
        if promise.chosenThrough > farthest.chosenThrough {
            farthest = Reach(chosenThrough: promise.chosenThrough, index: index)
        }
    }

    /// What a majority of promises oblige the new leader to do.
    package struct Recovery {
        /// All through here is chosen and learned: never to be proposed again.
        package let chosenThrough: Slot
        /// For every slot above it up to the highest seen: the accepted entry of the highest
        /// ballot (P2c), or a no-op where nobody in the majority accepted anything. Behind them
        /// as many no-ops as a leader may have slots in flight.
        package let entries: [Entry]

        /// The last slot in which a leader of a lower ballot can have proposed anything.
        package var recoveredThrough: Slot { chosenThrough.advanced(by: entries.count) }
    }

    /// To be asked when the promises come from a quorum and this replica has learned all that
    /// any of them has.
    ///
    /// Departures from the paper: an acceptor reports nothing of slots that it knows to be chosen,
    /// only how far they reach. Slots up to the highest such report are therefore never filled
    /// here, least of all with no-ops: the learner fetches them.
    ///
    /// And slots that nobody reported are filled as well. An acceptor outside the majority may
    /// hold an entry of the last leader's in a slot above all that were reported. That entry is
    /// not chosen, but a later leader might find and choose it, when its commands have long been
    /// chosen elsewhere. A leader proposes at most a window above what is chosen, and what is
    /// chosen was reported: so a window of no-ops decides every such slot.
    package func recovery(learnedThrough: Slot, window: Int = Limits.window) -> Recovery {
        var highest = SlotWindow<Accepted>(base: learnedThrough.next)
        for promise in promises {
            for item in promise.accepted where item.slot > learnedThrough {
                if let other = highest[item.slot], other.ballot >= item.accepted.ballot { continue }
                highest[item.slot] = item.accepted
            }
        }
        var entries: [Entry] = []
        var slot = highest.base
        while slot < highest.end {
            #if SYNOD_PLANTED_BUGS
                if PlantedBug.ignoresAccepted.isActive { highest[slot] = nil }
            #endif
            entries.append(highest[slot]?.entry ?? .noop)
            slot = slot.next
        }
        entries.append(contentsOf: repeatElement(.noop, count: window))
        return Recovery(chosenThrough: learnedThrough, entries: entries)
    }
}
