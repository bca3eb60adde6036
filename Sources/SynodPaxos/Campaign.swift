/// The proposer in phase 1: first asks around whether a campaign would be welcome, then collects
/// promises, and from them finds what it has to propose (*Paxos Made Simple* §2.2, phase 1).
struct Campaign: Sendable {
    /// Where the campaign stands.
    enum Phase: Sendable {
        /// Asking whether anyone hears a leader. Goes to `persisting`.
        case canvassing(welcomedBy: ReplicaSet)
        /// The own promise must be durable before anyone hears of the ballot: a restarted
        /// replica must not use it again. Goes to `preparing`.
        case persisting(Ballot, until: WriteTicket)
        /// Collecting promises. Ends with a majority, a nack, or the deadline.
        case preparing(Ballot)
    }

    private(set) var phase: Phase
    /// The round that the canvass asks about.
    let round: UInt64
    /// Given up after this.
    let deadline: Instant
    /// When what was not answered is said again.
    var repeatAt: Instant
    private(set) var promisedBy = ReplicaSet()
    private var promises: [Promise] = []

    init(round: UInt64, deadline: Instant, repeatAt: Instant) {
        phase = .canvassing(welcomedBy: ReplicaSet())
        self.round = round
        self.deadline = deadline
        self.repeatAt = repeatAt
    }

    /// A replica hears no leader either. Returns who does so far; nil if that no longer matters.
    mutating func welcomed(by index: Int) -> ReplicaSet? {
        guard case .canvassing(var welcomedBy) = phase else { return nil }
        welcomedBy.insert(index)
        phase = .canvassing(welcomedBy: welcomedBy)
        return welcomedBy
    }

    mutating func persist(_ ballot: Ballot, until ticket: WriteTicket) {
        phase = .persisting(ballot, until: ticket)
    }

    mutating func prepare(_ ballot: Ballot) {
        phase = .preparing(ballot)
    }

    var ballot: Ballot? {
        switch phase {
        case .canvassing: nil
        case .persisting(let ballot, _), .preparing(let ballot): ballot
        }
    }

    /// A promise of the campaign's ballot; a second one of the same acceptor changes nothing.
    mutating func promised(_ promise: Promise, by index: Int) {
        guard !promisedBy.contains(index) else { return }
        promisedBy.insert(index)
        promises.append(promise)
    }

    /// What a majority of promises oblige the new leader to do.
    struct Recovery {
        /// All through here is chosen: to be learned, never to be proposed again.
        let chosenThrough: Slot
        /// For every slot above it up to the highest seen: the accepted entry of the highest
        /// ballot (P2c), or a no-op where nobody in the majority accepted anything.
        let entries: [Entry]

        /// The last slot that phase 1 found.
        var recoveredThrough: Slot { chosenThrough.advanced(by: entries.count) }
    }

    /// To be asked when the promises come from a quorum.
    ///
    /// Departure from the paper: an acceptor reports nothing of slots that it knows to be chosen,
    /// only how far they reach. Slots up to the highest such report are therefore never filled
    /// here, least of all with no-ops: the learner fetches them.
    func recovery() -> Recovery {
        let chosenThrough = promises.map(\.chosenThrough).max() ?? .zero
        var highest = SlotWindow<Accepted>(base: chosenThrough.next)
        for promise in promises {
            for item in promise.accepted where item.slot > chosenThrough {
                if let other = highest[item.slot], other.ballot >= item.accepted.ballot { continue }
                highest[item.slot] = item.accepted
            }
        }
        var entries: [Entry] = []
        var slot = highest.base
        while slot < highest.end {
            entries.append(highest[slot]?.entry ?? .noop)
            slot = slot.next
        }
        return Recovery(chosenThrough: chosenThrough, entries: entries)
    }
}
