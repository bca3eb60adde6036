import DequeModule
import SynodKeyspace
import SynodPaxos
import SynodStorage

/// Tells of each command that is executed which revision comes before it, whatever is executed
/// first: the revisions are those of the order of the slots, on every replica.
///
/// Without a stamp, an entry goes on where the slots before it have ended. A stamp says where it
/// begins, but for what the uncertain commands of some slots before it have taken. A slot that
/// has become a no-op leaves a gap where its revisions would have been.
struct RevisionOrder {
    /// Everything through here is executed.
    private(set) var executedThrough: Slot
    /// After that.
    private(set) var revision: Int64
    /// Revisions that uncertain commands have taken through there, since this replica started.
    private var takenSinceStart: Int64 = 0
    /// What the uncertain commands of slots through there have taken, as far back as stamps reach.
    private(set) var outcomes: Deque<SlotOutcome>
    /// Beyond: which of the uncertain commands that are executed have taken one, by slot.
    private var takenAhead: [Slot: Set<Int>] = [:]
    /// The revision behind the last command that is executed, by slot beyond.
    private var reachedAhead: [Slot: Int64] = [:]
    /// The revisions that were left out before the last slot that was finished, because a slot
    /// before it became a no-op.
    private(set) var skipped: ClosedRange<Int64>?

    init(executedThrough: Slot = .zero, revision: Int64 = 1, outcomes: [SlotOutcome] = []) {
        self.executedThrough = executedThrough
        self.revision = revision
        self.outcomes = Deque(outcomes)
    }

    var executed: Executed {
        Executed(through: executedThrough, revision: revision, taken: takenSinceStart)
    }

    /// The revision at which all that is executed of the slot is seen, and nothing of later ones; nil
    /// if the slot is not beyond.
    func revisionAhead(in slot: Slot) -> Int64? { reachedAhead[slot] }

    /// Executes what was handed out. `execute` is told the revision before the command, and says
    /// whether the command has taken the next one.
    mutating func execute<Failure: Error>(
        _ learned: Learned,
        _ execute: (EntryCommand, _ revision: Int64) throws(Failure) -> Bool
    ) throws(Failure) {
        skipped = nil
        if let stamp = learned.entry.stamp {
            try self.execute(learned, stamp, execute)
        } else {
            try executeNext(learned, execute)
        }
        while let first = outcomes.first,
            first.slot + UInt64(Stamp.longestReach) <= executedThrough.rawValue
        {
            outcomes.removeFirst()
        }
    }

    private mutating func executeNext<Failure: Error>(
        _ learned: Learned, _ execute: (EntryCommand, Int64) throws(Failure) -> Bool
    ) throws(Failure) {
        var taken: UInt32 = 0
        var hasUncertain = false
        var revision = revision
        try learned.entry.forEachCommand { (command) throws(Failure) in
            if !command.isCertain { hasUncertain = true }
            guard try execute(command, revision) else { return }
            revision += 1
            if !command.isCertain { taken += 1 }
        }
        finish(learned.slot, at: revision, taken: hasUncertain ? taken : nil)
    }

    private mutating func execute<Failure: Error>(
        _ learned: Learned, _ stamp: Stamp,
        _ execute: (EntryCommand, Int64) throws(Failure) -> Bool
    ) throws(Failure) {
        var revision = start(of: stamp, in: learned.slot)
        if learned.isInOrder, revision > self.revision { skipped = self.revision + 1...revision }
        var taken = takenAhead[learned.slot] ?? []
        var reached = reachedAhead[learned.slot] ?? 0
        var hasUncertain = false
        try learned.visit { (command, isDue) throws(Failure) in
            if !command.isCertain { hasUncertain = true }
            if isDue, try execute(command, revision), !command.isCertain {
                taken.insert(command.index)
            }
            // A certain one counts from the start, whatever comes of it.
            if command.isCertain || taken.contains(command.index) { revision += 1 }
            if isDue { reached = max(reached, revision) }
        }
        guard learned.isInOrder else {
            takenAhead[learned.slot] = taken
            reachedAhead[learned.slot] = reached
            return
        }
        takenAhead[learned.slot] = nil
        reachedAhead[learned.slot] = nil
        finish(learned.slot, at: revision, taken: hasUncertain ? UInt32(taken.count) : nil)
    }

    private mutating func finish(_ slot: Slot, at revision: Int64, taken: UInt32?) {
        precondition(slot == executedThrough.next, "Slots are finished in order.")
        precondition(revision >= self.revision, "Revisions rise with the slots.")
        executedThrough = slot
        self.revision = revision
        guard let taken else { return }
        takenSinceStart += Int64(taken)
        outcomes.append(SlotOutcome(slot: slot.rawValue, taken: taken))
    }

    private func start(of stamp: Stamp, in slot: Slot) -> Int64 {
        #if SYNOD_PLANTED_BUGS
            if PlantedBug.countsArrivals.isActive { return revision + Int64(takenAhead.count) }
        #endif
        guard stamp.uncertain != 0 else { return stamp.revision }
        var revision = stamp.revision
        for uncertain in stamp.uncertainSlots(before: slot) {
            if uncertain > executedThrough {
                revision += Int64(takenAhead[uncertain]?.count ?? 0)
            } else if let outcome = outcomes.last(where: { $0.slot == uncertain.rawValue }) {
                revision += Int64(outcome.taken)
            }
        }
        return revision
    }
}

extension RevisionOrder {
    init(_ keyspace: Keyspace<some Store>) {
        self.init(
            executedThrough: Slot(keyspace.appliedThrough), revision: keyspace.revision,
            outcomes: keyspace.outcomes)
    }
}

extension Keyspace {
    mutating func commit(_ order: RevisionOrder) throws(StorageError) {
        try commit(
            through: order.executedThrough.rawValue, revision: order.revision,
            outcomes: Array(order.outcomes))
    }
}
