/// Chosen entries above the gap-free prefix, and which of their commands wait for what: see
/// ``Stamp``. Bounded by the window of the leader.
struct ExecutionQueue: Hashable, Sendable {
    private var slots: SlotWindow<Waiting>
    #if SYNOD_PLANTED_BUGS
        /// No-ops that nobody waits for.
        var passed: Set<Slot> = []
    #endif

    private struct Waiting: Hashable {
        let entry: Entry
        let stamp: Stamp
        let base: Slot
        /// By command, whether it always takes a revision.
        let isCertain: [Bool]
        /// By command.
        var isExecuted: [Bool]
        var left: Int
        /// Uncertain commands that are not executed.
        var uncertainLeft: Int

        /// How many of the commands that touch the span there are, and how many are executed.
        func count(touching span: KeySpan) -> (all: Int, executed: Int) {
            var count = (all: 0, executed: 0)
            entry.forEachCommand { command in
                let spans = command.footprint.spans(in: command.payload)
                guard spans?.contains(where: { $0.overlaps(span) }) ?? true else { return }
                count.all += 1
                if isExecuted[command.index] { count.executed += 1 }
            }
            return count
        }
    }

    init(chosenThrough: Slot) {
        slots = SlotWindow(base: chosenThrough.next)
    }

    func entry(in slot: Slot) -> Entry? { slots[slot]?.entry }

    /// Whether the commands of the slot that touch the span are executed.
    func hasExecuted(_ span: KeySpan, in slot: Slot) -> Bool {
        guard let waiting = slots[slot] else { return false }
        if waiting.left == 0 { return true }
        let count = waiting.count(touching: span)
        return count.executed == count.all
    }

    /// Whether all commands through the slot that touch the span are executed, some of the slot
    /// itself among them.
    ///
    /// What is missing below the slot does not matter if its stamp names other keys there. The stamp
    /// tells of all that its leader had handed out behind its base, and everything through the base
    /// is executed, for something of the slot is. What such a slot holds in the end is what it was
    /// handed out for, or nothing.
    func hasExecutedAll(touching span: KeySpan, through slot: Slot) -> Bool {
        guard let top = slots[slot], top.count(touching: span).executed > 0 else { return false }
        let elsewhere = top.stamp.pending.slots(before: slot, apartFrom: span)
        var other = slots.base
        while other <= slot {
            let isKnown = slots[other] != nil
            guard isKnown ? hasExecuted(span, in: other) : elsewhere.contains(other) else {
                return false
            }
            other = other.next
        }
        return true
    }

    /// The entry of the slot, which has a stamp, is chosen.
    mutating func add(_ entry: Entry, in slot: Slot) {
        guard let stamp = entry.stamp else { return }
        var isCertain: [Bool] = []
        entry.forEachCommand { isCertain.append($0.isCertain) }
        slots[slot] = Waiting(
            entry: entry, stamp: stamp, base: stamp.base(of: slot), isCertain: isCertain,
            isExecuted: Array(repeating: false, count: isCertain.count), left: isCertain.count,
            uncertainLeft: isCertain.count { !$0 })
    }

    /// Everything through the slot is executed from now on. Returns which commands of the slot are
    /// not yet; nil if that is all of them.
    mutating func take(_ slot: Slot) -> [Int]? {
        defer { slots.raiseBase(to: slot.next) }
        guard let waiting = slots[slot], waiting.left < waiting.isCertain.count else { return nil }
        return waiting.isExecuted.indices.filter { !waiting.isExecuted[$0] }
    }

    /// Hands out every command whose turn has come. All that one can wait for lies before it, so
    /// going through them once is enough.
    mutating func run(executedThrough: Slot, _ learned: inout [Learned]) {
        guard !slots.isEmpty else { return }
        var slot = slots.base
        while slot < slots.end {
            defer { slot = slot.next }
            guard let waiting = slots[slot], waiting.left > 0,
                executedThrough >= waiting.base,
                waiting.stamp.uncertainSlots(before: slot).allSatisfy({ isSure($0) })
            else { continue }
            let commands = run(slot)
            guard !commands.isEmpty else { continue }
            learned.append(Learned(slot: slot, entry: waiting.entry, part: .ahead(commands)))
        }
    }

    /// Whether it is known what the uncertain commands of the slot have taken.
    private func isSure(_ slot: Slot) -> Bool {
        slot < slots.base || slots[slot]?.uncertainLeft == 0
    }

    private mutating func run(_ slot: Slot) -> [Int] {
        guard var waiting = slots[slot] else { return [] }
        slots[slot] = nil  // The only copy, so that it is changed and not copied.
        var ready: [Int] = []
        var nextWait = 0
        let waits = waiting.stamp.waits
        for command in waiting.isCertain.indices {
            var isReady = true
            while nextWait < waits.count, waits[nextWait].command == command {
                isReady = isReady && isDone(waits[nextWait], of: slot, waiting)
                nextWait += 1
            }
            if !waiting.isExecuted[command] && isReady {
                waiting.isExecuted[command] = true
                waiting.left -= 1
                if !waiting.isCertain[command] { waiting.uncertainLeft -= 1 }
                ready.append(command)
            }
            // Those behind it take their revisions from what becomes of it.
            if !waiting.isCertain[command] && !waiting.isExecuted[command] { break }
        }
        slots[slot] = waiting
        return ready
    }

    private func isDone(_ wait: Stamp.Wait, of slot: Slot, _ waiting: Waiting) -> Bool {
        if wait.distance == 0 { return waiting.isExecuted[wait.other] }
        guard UInt64(wait.distance) < slot.rawValue else { return true }
        let other = Slot(slot.rawValue - UInt64(wait.distance))
        if other < slots.base { return true }
        #if SYNOD_PLANTED_BUGS
            if passed.contains(other) { return true }
        #endif
        guard let held = slots[other], wait.other < held.isExecuted.count else { return false }
        return held.isExecuted[wait.other]
    }
}
