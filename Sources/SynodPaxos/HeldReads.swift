/// Reads that know what they wait for, until that is executed.
///
/// Each is kept beside what holds it up first, and looked at again only when that has moved: where a
/// proposer has died, many may wait for long behind its slot, while much is executed around them.
struct HeldReads: Hashable, Sendable {
    struct Item: Hashable, Sendable {
        let read: Read
        /// Everything through here has to be executed.
        let bound: Slot
        /// And what touches the read through there, if that is more.
        let slot: Slot?

        var released: ReleasedRead { ReleasedRead(read.id, through: slot ?? bound) }
    }

    private enum Obstacle: Hashable {
        /// Something through the slot is not executed.
        case prefix(Slot)
        /// So many commands of the slot are executed, which are not enough; nil: its entry is missing.
        case slot(Slot, executed: Int?)

        func hasMoved(_ learner: Learner) -> Bool {
            switch self {
            case .prefix(let slot): slot <= learner.chosenThrough
            case .slot(let slot, let executed):
                slot <= learner.chosenThrough || learner.ahead.executedCount(in: slot) != executed
            }
        }
    }

    private struct Group: Hashable {
        let obstacle: Obstacle
        var items: [Item]
    }

    /// Not looked at yet.
    private var fresh: [Item] = []
    private var groups: [Group] = []

    var isEmpty: Bool { fresh.isEmpty && groups.isEmpty }

    mutating func add(_ item: Item) { fresh.append(item) }

    /// Takes out the reads that nothing holds up any more.
    mutating func release(_ learner: Learner) -> [Item] {
        var due = fresh
        fresh = []
        groups.removeAll { group in
            guard group.obstacle.hasMoved(learner) else { return false }
            due += group.items
            return true
        }
        guard !due.isEmpty else { return [] }
        var view = ExecutionView(learner)
        var released: [Item] = []
        for item in due {
            if let obstacle = Self.obstacle(to: item, &view) {
                hold(item, obstacle)
            } else {
                released.append(item)
            }
        }
        return released
    }

    /// Takes out the reads whose clients have given up.
    mutating func expire(_ now: Instant) -> [Item] {
        var expired: [Item] = []
        func expire(_ items: inout [Item]) {
            expired += items.filter { $0.read.deadline <= now }
            items.removeAll { $0.read.deadline <= now }
        }
        expire(&fresh)
        for index in groups.indices { expire(&groups[index].items) }
        groups.removeAll { $0.items.isEmpty }
        return expired
    }

    private mutating func hold(_ item: Item, _ obstacle: Obstacle) {
        if let index = groups.lastIndex(where: { $0.obstacle == obstacle }) {
            groups[index].items.append(item)
        } else {
            groups.append(Group(obstacle: obstacle, items: [item]))
        }
    }

    /// Who reads several keys reads them as they were at one moment: those of a range right behind
    /// the slot, others when everything before it is executed. On one key, commands are executed in
    /// order anyway.
    private static func obstacle(to item: Item, _ view: inout ExecutionView) -> Obstacle? {
        guard item.bound <= view.learner.chosenThrough else { return .prefix(item.bound) }
        guard let slot = item.slot, slot > view.learner.chosenThrough else { return nil }
        let other: Slot?
        switch item.read.scope {
        case .key(let key): other = view.isExecuted(KeySpan(key), in: slot) ? nil : slot
        case .range(let span): other = view.firstUnexecuted(touching: span, through: slot)
        case .spans, .everything: return .prefix(slot)
        }
        return other.map { .slot($0, executed: view.learner.ahead.executedCount(in: $0)) }
    }
}

/// What is executed at one moment, for many who ask: each entry is read once.
private struct ExecutionView {
    let learner: Learner
    private var unexecuted: [Slot: TouchedSpans] = [:]

    init(_ learner: Learner) { self.learner = learner }

    /// Whether the commands of the slot that touch the span are executed.
    mutating func isExecuted(_ span: KeySpan, in slot: Slot) -> Bool {
        if let known = unexecuted[slot] { return !known.overlaps(span) }
        guard let spans = learner.ahead.touched(in: slot, isExecuted: false) else { return false }
        unexecuted[slot] = spans
        return !spans.overlaps(span)
    }

    /// The first slot for which a read of the span as it is behind `slot` has to wait.
    ///
    /// What is missing below that slot does not matter if its stamp names other keys there. The stamp
    /// tells of all that its leader had handed out behind its base, and everything through the base
    /// is executed, for something of the slot is. What such a slot holds in the end is what it was
    /// handed out for, or nothing.
    mutating func firstUnexecuted(touching span: KeySpan, through slot: Slot) -> Slot? {
        let executed = learner.ahead.touched(in: slot, isExecuted: true)
        guard executed?.overlaps(span) ?? false else { return slot }
        let elsewhere = learner.ahead.slotsKnown(by: slot, apartFrom: span)
        var other = learner.chosenThrough.next
        while other <= slot {
            let isKnown = learner.ahead.entry(in: other) != nil
            guard isKnown ? isExecuted(span, in: other) : elsewhere.contains(other) else {
                return other
            }
            other = other.next
        }
        return nil
    }
}

/// What some commands touch.
struct TouchedSpans {
    private var points: Set<Key> = []
    private var ranges: [KeySpan] = []
    private var isAnything = false

    mutating func add(_ spans: [KeySpan]?) {
        guard let spans else { return isAnything = true }
        for span in spans {
            if span.isPoint { points.insert(Key(span.lower)) } else { ranges.append(span) }
        }
    }

    func overlaps(_ span: KeySpan) -> Bool {
        if isAnything || ranges.contains(where: { $0.overlaps(span) }) { return true }
        if span.isPoint { return points.contains(Key(span.lower)) }
        return points.contains { KeySpan($0.bytes[...]).overlaps(span) }
    }
}
