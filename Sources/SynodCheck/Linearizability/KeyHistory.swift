import SynodBytes

/// All that a history says about one key.
struct KeyHistory {
    /// A step before values are numbered.
    struct Event {
        let operation: Int
        let call: UInt64
        /// Nil: the step may be taken at any time after the call, or never.
        let end: UInt64?
        /// The operation's place in the store's log, if that is known.
        let place: UInt64?
        /// Whether the operation does this to the key if it is executed, whatever it finds.
        let isOnlyWay: Bool
        let step: RegisterStep<Bytes>
    }

    struct Planned {
        let operation: Int
        let call: UInt64
        let end: UInt64?
        let place: UInt64?
        let isOnlyWay: Bool
        let transition: Transition

        /// Whether an order without it explains the history too.
        var isOptional: Bool { end == nil }

        /// Whether it changes nothing wherever it is taken, and can be taken wherever it fits.
        var onlyLooks: Bool { transition.target == nil && place == nil }
    }

    /// By their calls.
    let steps: [Planned]
    /// For each step with a place the one that must be taken last before it, or -1: what has a place
    /// was executed, and if there is only one way for it, in this one.
    let predecessors: [Int]

    init(_ events: [Event]) {
        var values: Set<Bytes> = []
        for event in events { event.step.forEachValue { values.insert($0) } }
        let sorted = values.sorted { $0.lexicographicallyPrecedes($1) }
        let numbers = Dictionary(
            uniqueKeysWithValues: sorted.enumerated().map { ($1, Int32($0 + 1)) })
        let planned = events.map { event in
            Planned(
                operation: event.operation, call: event.call, end: event.end, place: event.place,
                isOnlyWay: event.isOnlyWay,
                transition: Transition(event.step.map { numbers[$0] ?? 0 }))
        }
        steps = Self.withoutUnobserved(planned).sorted { $0.call < $1.call }
        predecessors = Self.predecessors(steps)
    }

    private static func predecessors(_ steps: [Planned]) -> [Int] {
        var predecessors = Array(repeating: -1, count: steps.count)
        var (certain, next) = (-1, -1)
        var place: UInt64 = 0
        let placed = steps.indices.filter { steps[$0].place != nil }
        for index in placed.sorted(by: { steps[$0].place! < steps[$1].place! }) {
            // The ways through one transaction have the same place.
            if steps[index].place! > place { (certain, place) = (next, steps[index].place!) }
            predecessors[index] = certain
            if steps[index].isOnlyWay { next = index }
        }
        return predecessors
    }

    /// Drops optional steps to states in which no conditional step is possible. Whatever follows
    /// one in an order replaces its effect unseen, so an order exists without it as well; and each
    /// that stays can double the search. One that must be at its place stays, and doubles nothing.
    private static func withoutUnobserved(_ planned: [Planned]) -> [Planned] {
        var expected: Set<Int32> = []
        var others: [Transition] = []
        for transition in planned.map(\.transition) where !transition.isUnconditional {
            if let state = transition.onlyState {
                expected.insert(state)
            } else {
                others.append(transition)
            }
        }
        return planned.filter { step in
            guard step.isOptional, step.place == nil || !step.isOnlyWay else { return true }
            guard let target = step.transition.target else { return false }
            return expected.contains(target) || others.contains { $0.apply(target) != nil }
        }
    }
}
