/// Chosen entries above the gap-free prefix, and which of their commands wait for what: see
/// ``Stamp``. Bounded by the window of the leader.
struct ExecutionQueue: Hashable, Sendable {
    private var slots: SlotWindow<Waiting>
    /// Whether something came since all was handed out whose turn had come.
    private var hasNews = false
    #if SYNOD_PLANTED_BUGS
        /// No-ops that nobody waits for.
        var passed: Set<Slot> = [] { didSet { hasNews = true } }
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
    }

    init(chosenThrough: Slot) {
        slots = SlotWindow(base: chosenThrough.next)
    }

    func entry(in slot: Slot) -> Entry? { slots[slot]?.entry }

    /// How many commands of the slot are executed; nil if its entry is missing.
    func executedCount(in slot: Slot) -> Int? {
        slots[slot].map { $0.isExecuted.count - $0.left }
    }

    /// What the commands of the slot touch that are executed, or that are not; nil if its entry is missing.
    func touched(in slot: Slot, isExecuted: Bool) -> TouchedSpans? {
        guard let waiting = slots[slot] else { return nil }
        var spans = TouchedSpans()
        guard isExecuted || waiting.left > 0 else { return spans }
        waiting.entry.forEachCommand { command in
            guard waiting.isExecuted[command.index] == isExecuted else { return }
            spans.add(command.footprint.spans(in: command.payload))
        }
        return spans
    }

    /// The slots before this one in which, by its stamp, nothing touches the span.
    func slotsKnown(by slot: Slot, apartFrom span: KeySpan) -> Set<Slot> {
        slots[slot]?.stamp.pending.slots(before: slot, apartFrom: span) ?? []
    }

    /// The entry of the slot, which has a stamp, is chosen.
    mutating func add(_ entry: Entry, in slot: Slot) {
        guard let stamp = entry.stamp else { return }
        var isCertain: [Bool] = []
        entry.forEachCommand { isCertain.append($0.isCertain) }
        hasNews = true
        slots[slot] = Waiting(
            entry: entry, stamp: stamp, base: stamp.base(of: slot), isCertain: isCertain,
            isExecuted: Array(repeating: false, count: isCertain.count), left: isCertain.count,
            uncertainLeft: isCertain.count { !$0 })
    }

    /// Everything through the slot is executed from now on. Returns which commands of the slot are
    /// not yet; nil if that is all of them.
    mutating func take(_ slot: Slot) -> [Int]? {
        hasNews = true
        defer { slots.raiseBase(to: slot.next) }
        guard let waiting = slots[slot], waiting.left < waiting.isCertain.count else { return nil }
        return waiting.isExecuted.indices.filter { !waiting.isExecuted[$0] }
    }

    /// Hands out every command whose turn has come. All that one can wait for lies before it, so
    /// going through them once is enough.
    mutating func run(executedThrough: Slot, _ learned: inout [Learned]) {
        guard hasNews else { return }
        hasNews = false
        var slot = slots.base
        while slot < slots.end {
            let commands = run(slot, executedThrough: executedThrough)
            if !commands.isEmpty, let entry = slots[slot]?.entry {
                learned.append(Learned(slot: slot, entry: entry, part: .ahead(commands)))
            }
            slot = slot.next
        }
    }

    /// Whether it is known what the uncertain commands of the slot have taken.
    private func isSure(_ slot: Slot) -> Bool {
        slot < slots.base || slots[slot]?.uncertainLeft == 0
    }

    private mutating func run(_ slot: Slot, executedThrough: Slot) -> [Int] {
        guard var waiting = slots[slot], waiting.left > 0, executedThrough >= waiting.base,
            waiting.stamp.uncertainSlots(before: slot).allSatisfy({ isSure($0) })
        else { return [] }
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
        if !ready.isEmpty { slots[slot] = waiting }
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
