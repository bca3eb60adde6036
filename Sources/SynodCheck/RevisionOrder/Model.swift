import SynodBytes

/// The store as its contract describes it, at one revision: executes a request and says what the
/// answer must be. Every change can be taken back.
struct Model {
    /// What is stored under a key; version 0 where there is nothing.
    struct Slot {
        var value: Bytes = []
        var createRevision: Int64 = 0
        var modRevision: Int64 = 0
        var version: Int64 = 0
        /// When it was last put or deleted.
        var changedAt: Int64 = 0

        var isLive: Bool { version > 0 }
    }

    struct Change {
        let key: Int
        let before: Slot
    }

    let keys: KeyTable
    private(set) var slots: [Slot]
    private var live: BitSet
    /// Since the last ``forgetChanges()``.
    private(set) var changes: [Change] = []

    init(_ keys: KeyTable) {
        self.keys = keys
        slots = Array(repeating: Slot(), count: keys.keys.count)
        live = BitSet(count: keys.keys.count)
    }

    /// Executes a request; what it changes gets the given revision.
    mutating func execute(_ request: Request, at revision: Int64) -> Body {
        var path: [Bool] = []
        decide(request, into: &path)
        var decisions = path[...]
        return run(request, at: revision, &decisions)
    }

    /// The last revision that changed any key that a request asks for, on the way that it takes now;
    /// zero if none has.
    func lastChange(of request: Request) -> Int64 {
        switch request {
        case .put(let key, _, _): lastChange(in: KeyRange(key: key))
        case .delete(let range, _), .range(let range, _): lastChange(in: range)
        case .txn(let compares, let success, let failure):
            max(
                compares.map { lastChange(in: KeyRange(key: $0.key)) }.max() ?? 0,
                (compares.allSatisfy(holds) ? success : failure).map(lastChange).max() ?? 0)
        }
    }

    private func lastChange(in range: KeyRange) -> Int64 {
        keys.numbers(in: range).reduce(0) { max($0, slots[$1].changedAt) }
    }

    mutating func rollBack(to count: Int) {
        while changes.count > count, let change = changes.popLast() {
            set(change.key, change.before)
        }
    }

    mutating func forgetChanges() {
        changes.removeAll(keepingCapacity: true)
    }

    func keyValue(_ key: Int) -> KeyValue {
        let slot = slots[key]
        return KeyValue(
            key: keys.keys[key], value: slot.value, createRevision: slot.createRevision,
            modRevision: slot.modRevision, version: slot.version)
    }

    /// Which branches are taken, all of it decided on the state before the first change.
    private func decide(_ request: Request, into path: inout [Bool]) {
        guard case .txn(let compares, let success, let failure) = request else { return }
        let succeeds = compares.allSatisfy(holds)
        path.append(succeeds)
        for request in succeeds ? success : failure { decide(request, into: &path) }
    }

    private mutating func run(
        _ request: Request, at revision: Int64, _ decisions: inout ArraySlice<Bool>
    ) -> Body {
        switch request {
        case .put(let key, let value, let wantsPrevious):
            return put(key, value, at: revision, wantsPrevious: wantsPrevious)
        case .delete(let range, let wantsPrevious):
            return delete(range, at: revision, wantsPrevious: wantsPrevious)
        case .range(let range, _):
            let found = liveKeys(in: range).map(keyValue)
            return .range(found, count: Int64(found.count))
        case .txn(_, let success, let failure):
            let succeeds = decisions.removeFirst()
            var bodies: [Body] = []
            for request in succeeds ? success : failure {
                bodies.append(run(request, at: revision, &decisions))
            }
            return .txn(succeeded: succeeds, bodies)
        }
    }

    private mutating func put(
        _ key: Bytes, _ value: Bytes, at revision: Int64, wantsPrevious: Bool
    ) -> Body {
        guard let number = keys.number(of: key) else {
            preconditionFailure("The table of keys has every key that is put.")
        }
        let before = slots[number]
        let previous = wantsPrevious && before.isLive ? keyValue(number) : nil
        change(
            number,
            to: Slot(
                value: value, createRevision: before.isLive ? before.createRevision : revision,
                modRevision: revision, version: before.version + 1, changedAt: revision))
        return .put(previous: previous)
    }

    private mutating func delete(
        _ range: KeyRange, at revision: Int64, wantsPrevious: Bool
    ) -> Body {
        let deleted = liveKeys(in: range)
        let previous = wantsPrevious ? deleted.map(keyValue) : []
        for number in deleted { change(number, to: Slot(changedAt: revision)) }
        return .delete(count: Int64(deleted.count), previous: previous)
    }

    private func liveKeys(in range: KeyRange) -> [Int] {
        live.members(in: keys.numbers(in: range))
    }

    private func holds(_ compare: Compare) -> Bool {
        let slot = keys.number(of: compare.key).map { slots[$0] } ?? Slot()
        return switch compare {
        case .value(_, let relation, let operand):
            slot.isLive && relation.holds(slot.value, operand)
        case .version(_, let relation, let operand): relation.holds(slot.version, operand)
        case .createRevision(_, let relation, let operand):
            relation.holds(slot.createRevision, operand)
        case .modRevision(_, let relation, let operand):
            relation.holds(slot.modRevision, operand)
        }
    }

    private mutating func change(_ key: Int, to slot: Slot) {
        changes.append(Change(key: key, before: slots[key]))
        set(key, slot)
    }

    private mutating func set(_ key: Int, _ slot: Slot) {
        slots[key] = slot
        live[key] = slot.isLive
    }
}

extension Compare.Relation {
    func holds(_ left: Int64, _ right: Int64) -> Bool {
        holds(isEqual: left == right, isLess: left < right)
    }

    func holds(_ left: Bytes, _ right: Bytes) -> Bool {
        holds(isEqual: left == right, isLess: left.lexicographicallyPrecedes(right))
    }

    private func holds(isEqual: Bool, isLess: Bool) -> Bool {
        switch self {
        case .equal: isEqual
        case .greater: !isEqual && !isLess
        case .less: isLess
        case .notEqual: !isEqual
        }
    }
}
