/// The learner: finds out what was chosen, hands it out for execution, and fetches what it missed.
///
/// A leader announces a gap-free prefix with its ballot, and what is chosen above it: that can be
/// executed, too, where it does not wait for what is missing. An entry that this replica's acceptor
/// accepted at exactly that ballot is the chosen one, because a ballot proposes one entry a slot;
/// anything else is fetched from a replica that has learned it. So is what was accepted at that
/// ballot before the leader abandoned its slot, or a later one.
package struct Learner: Hashable, Sendable {
    /// Everything through here is chosen, known and handed out for execution.
    package private(set) var chosenThrough: Slot
    /// What is known to be chosen above that.
    private(set) var ahead: ExecutionQueue
    /// What was executed through there is lost, and cannot be executed again, for the log does not
    /// reach back so far: nothing is learned until a state from elsewhere is installed.
    package private(set) var lacksState: Bool
    /// The leader's newest announcement.
    private var announced: Progress?
    /// How far each replica, by index, is known to have learned.
    private var learnedBy: [Slot]
    /// What a campaign waits for, and the index of a replica that has it.
    private var needed = Need()
    private var fetching = Fetching.idle
    /// The index of the replica that last delivered something.
    private var lastSource: Int?
    /// The first slot that is known to be chosen and missing here.
    private var missing: Missing?
    /// Whether what was missing came by being asked for, and more of it is to be had there.
    private var isCatchingUp = false
    /// How long after the announcement its entry comes where that is overtaken.
    private var lateness = Interval.milliseconds(0)

    private struct Missing: Hashable {
        let slot: Slot
        let since: Instant
    }

    private struct Need: Hashable {
        var through = Slot.zero
        var from = 0
    }

    private enum Fetching: Hashable {
        case idle
        /// Asked the replica of this index; asks another after the deadline.
        case waiting(index: Int, until: Instant)
    }

    package init(chosenThrough: Slot, lacksState: Bool, replicas: Int) {
        self.chosenThrough = chosenThrough
        ahead = ExecutionQueue(chosenThrough: chosenThrough)
        self.lacksState = lacksState
        learnedBy = Array(repeating: .zero, count: replicas)
    }

    /// The leader of a ballot says what is chosen.
    package mutating func announce(_ progress: Progress) {
        if let announced, announced.ballot > progress.ballot { return }
        if let known = announced, known.ballot == progress.ballot {
            announced = known.united(with: progress)
        } else {
            announced = progress
        }
    }

    /// A replica says how far it has learned.
    package mutating func note(_ through: Slot, learnedBy index: Int) {
        learnedBy[index] = max(learnedBy[index], through)
    }

    /// Those of the replicas that have not said that they have learned more.
    package func noneAhead(of others: ReplicaSet) -> ReplicaSet {
        var none = ReplicaSet()
        for index in learnedBy.indices
        where others.contains(index) && learnedBy[index] <= chosenThrough {
            none.insert(index)
        }
        return none
    }

    /// A stream to a replica was opened: what it was asked for before may have been lost.
    package mutating func connected(_ index: Int, _ now: Instant) {
        guard case .waiting(index, _) = fetching else { return }
        // Not the next one in turn, who may have less.
        fetching = .waiting(index: (index + learnedBy.count - 1) % learnedBy.count, until: now)
    }

    /// A campaign waits until everything through the slot is learned: it is asked for at once.
    package mutating func need(through slot: Slot, learnedBy index: Int) {
        guard slot > needed.through else { return }
        needed = Need(through: slot, from: index)
        fetching = .idle
    }

    /// Learns what it can from its own acceptor.
    package mutating func advance(_ acceptor: inout Acceptor, _ outbox: inout Outbox) {
        guard let announced, !lacksState else { return }
        let before = chosenThrough
        while let entry = chosenEntry(in: chosenThrough.next, announced, acceptor) {
            learn(entry, &outbox)
        }
        if chosenThrough > before { acceptor.forget(through: chosenThrough) }
        if announced.chosenBeyond != 0 || announced.chosenThrough > chosenThrough {
            lookAhead(announced, acceptor)
        }
        ahead.run(executedThrough: chosenThrough, &outbox.learned)
    }

    private func chosenEntry(
        in slot: Slot, _ announced: Progress, _ acceptor: Acceptor
    ) -> Entry? {
        if let entry = ahead.entry(in: slot) { return entry }
        if slot <= announced.chosenThrough {
            return acceptor.entry(in: slot, chosenBy: announced)
        }
        guard announced.isChosenBeyond(slot) else { return nil }
        return acceptor.entry(in: slot, acceptedAt: announced.ballot)
    }

    /// Looks behind what is missing, as far as a stamp can tell what that is.
    private mutating func lookAhead(_ announced: Progress, _ acceptor: Acceptor) {
        var slot = chosenThrough.next.next
        let last = min(chosenThrough.advanced(by: Stamp.longestReach), acceptor.highestSlot)
        while slot <= last {
            #if SYNOD_PLANTED_BUGS
                if PlantedBug.passesNoops.isActive,
                    acceptor.entry(in: slot, acceptedAt: announced.ballot.abandoning) != nil
                {
                    ahead.passed.insert(slot)
                }
            #endif
            if ahead.entry(in: slot) == nil,
                let entry = chosenEntry(in: slot, announced, acceptor), entry.isStamped
            {
                ahead.add(entry, in: slot)
            }
            slot = slot.next
        }
    }

    /// The entry is the chosen one of the next slot.
    private mutating func learn(_ entry: Entry, _ outbox: inout Outbox) {
        chosenThrough = chosenThrough.next
        let part = ahead.take(chosenThrough).map(Learned.Part.rest) ?? .whole
        outbox.learned.append(Learned(slot: chosenThrough, entry: entry, part: part))
    }

    /// Chosen entries arrived that it had asked for.
    package mutating func fetched(
        from first: Slot, _ entries: [Accepted], through: Slot, by index: Int,
        _ acceptor: inout Acceptor, _ outbox: inout Outbox
    ) {
        note(through, learnedBy: index)
        guard !lacksState else { return }
        var slot = first
        for item in entries {
            defer { slot = slot.next }
            guard slot == chosenThrough.next else { continue }
            outbox.persist.append(.accepted(slot, item))
            learn(item.entry, &outbox)
        }
        acceptor.forget(through: chosenThrough)
        guard !entries.isEmpty else { return }
        if let missing, missing.slot <= chosenThrough {
            self.missing = nil
            isCatchingUp = true
        }
        lastSource = index
        if case .waiting(index, _) = fetching { fetching = .idle }
    }

    /// Everything through the slot came with an installed state.
    package mutating func installed(
        through slot: Slot, _ acceptor: inout Acceptor, _ outbox: inout Outbox
    ) {
        // What was executed ahead is not in that state, and has to be executed again.
        ahead = ExecutionQueue(chosenThrough: max(chosenThrough, slot))
        outbox.learned = outbox.learned.map { Learned(slot: $0.slot, entry: $0.entry) }
        guard slot > chosenThrough || lacksState else { return }
        precondition(slot >= chosenThrough, "A state is installed to go forward.")
        lacksState = false
        chosenThrough = slot
        acceptor.forget(through: slot)
        fetching = .idle
    }

    /// Asks for what is missing: at once where a campaign waits for it; where the leader has announced
    /// it, when it is later than usual, because large entries are overtaken by what is said of them;
    /// and after `patience`, the most in any case, where only another replica is ahead, because then
    /// the announcement is usually on its way.
    /// - Parameter source: the index of the leader, or of the peer through which it is followed.
    package mutating func fetchMissing(
        _ membership: Membership, me: Int, from source: Int?, now: Instant, patience: Interval,
        _ outbox: inout Outbox
    ) {
        noteArrival(now)
        let known = max(announced?.chosenThrough ?? .zero, learnedBy.max() ?? .zero)
        guard known > chosenThrough, !lacksState else {
            missing = nil
            isCatchingUp = false
            fetching = .idle
            return
        }
        if missing == nil { missing = Missing(slot: chosenThrough.next, since: now) }
        if case .waiting(_, let until) = fetching, now < until { return }
        guard now >= fetchAt(patience: patience) else { return }
        guard let index = nextSource(in: membership, me: me, preferred: source) else { return }
        fetching = .waiting(index: index, until: now + patience * 2)
        outbox.send(.fetch(from: chosenThrough.next), to: .replica(membership.replicas[index]))
        outbox.trace.append(.caughtUp(from: chosenThrough.next))
    }

    /// What was missing has come by itself.
    private mutating func noteArrival(_ now: Instant) {
        guard let missing, missing.slot <= chosenThrough else { return }
        let usual = Interval(nanoseconds: lateness.nanoseconds - lateness.nanoseconds / 16)
        lateness = max(usual, now.since(missing.since))
        self.missing = nil
        isCatchingUp = false
    }

    /// When what is missing is to be asked for.
    private func fetchAt(patience: Interval) -> Instant {
        guard let missing else { return .distantFuture }
        if isCatchingUp || needed.through > chosenThrough { return missing.since }
        let isAnnounced = (announced?.chosenThrough ?? .zero) > chosenThrough
        return missing.since + (isAnnounced ? min(lateness * 2, patience) : patience)
    }

    /// When ``fetchMissing(_:me:from:now:patience:_:)`` wants to be called again.
    package func wakeAt(patience: Interval) -> Instant {
        let due = fetchAt(patience: patience)
        if case .waiting(_, let until) = fetching { return max(until, due) }
        return due
    }

    /// The replica to ask: one that delivered before and has more, one that promised to a campaign
    /// here, or the preferred one; and all others in turn when that gave no answer, whatever is
    /// known of them: a link may lose every answer and pass on what tells that its sender is ahead.
    private func nextSource(in membership: Membership, me: Int, preferred: Int?) -> Int? {
        let count = learnedBy.count
        let isAhead: (Int) -> Bool = { learnedBy[$0] > chosenThrough }
        let start: Int
        switch fetching {
        case .waiting(let index, _): start = index + 1
        case .idle:
            if let lastSource, isAhead(lastSource) {
                start = lastSource
                break
            }
            if needed.through > chosenThrough {
                start = needed.from
                break
            }
            let leader = announced.flatMap { membership.index(of: $0.ballot.replica) }
            start = preferred ?? leader ?? (0..<count).first(where: isAhead) ?? me + 1
        }
        return (0..<count).lazy.map { (start + $0) % count }.first { $0 != me }
    }
}
