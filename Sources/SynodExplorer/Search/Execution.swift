import SynodPaxos

/// What a replica has executed, and whether it may execute what it is given next.
struct Execution: Hashable {
    /// Everything through here is executed.
    private(set) var through = Slot.zero
    /// The revision after that; every command takes one.
    private(set) var revision: Int64 = 0
    /// What is executed beyond.
    private var ahead: [Done] = []

    private struct Done: Hashable {
        let slot: Slot
        let command: Int
        /// The keys that it touches; nil: it may be any.
        let spans: [KeySpan]?

        func isBehind(_ other: Done) -> Bool {
            (slot, command) > (other.slot, other.command) && overlaps(other)
        }

        private func overlaps(_ other: Done) -> Bool {
            guard let spans, let others = other.spans else { return true }
            return spans.contains { span in others.contains { $0.overlaps(span) } }
        }
    }

    init(through: Slot = .zero, revision: Int64 = 0) {
        self.through = through
        self.revision = revision
    }

    var news: Executed { Executed(through: through, revision: revision, taken: 0) }

    /// Returns what is wrong with it, if anything is.
    mutating func execute(_ item: Learned) -> String? {
        guard item.isInOrder ? item.slot == through.next : item.slot > through.next else {
            return "goes from slot \(through.rawValue) to \(item.slot.rawValue)"
        }
        let count = item.entry.commandCount
        var objection: String?
        item.forEachCommand { command in
            let done = Done(
                slot: item.slot, command: command.index,
                spans: command.footprint.spans(in: command.payload))
            if ahead.contains(where: { $0.isBehind(done) }) {
                objection = "executes slot \(item.slot.rawValue) behind a later one on the same key"
            }
            ahead.append(done)
        }
        let parts = ahead.filter { $0.slot == item.slot }.map(\.command).sorted()
        if item.isInOrder ? parts != Array(0..<count) : Set(parts).count != parts.count {
            objection = "executes slot \(item.slot.rawValue) in wrong parts"
        }
        if item.isInOrder { return finish(item, count) ?? objection }
        ahead.sort { ($0.slot, $0.command) < ($1.slot, $1.command) }
        return objection
    }

    private mutating func finish(_ item: Learned, _ count: Int) -> String? {
        ahead.removeAll { $0.slot == item.slot }
        through = item.slot
        let start = item.entry.stamp?.revision ?? revision
        guard start >= revision else {
            return "has revisions of slot \(item.slot.rawValue) taken before"
        }
        revision = start + Int64(count)
        return nil
    }
}
