import SynodBytes

/// What one operation does to one key and tells about it: the key as a register that holds a value
/// or nothing, without revisions.
struct RegisterStep<Value: Sendable & Hashable>: Sendable, Hashable {
    enum Effect: Sendable, Hashable {
        case none
        case put(Value)
        case delete
    }

    enum Test: Sendable, Hashable {
        case absent
        case present
        case value(Compare.Relation, Value)
        /// The operation contradicts itself.
        case never
    }

    /// All hold for what the register held before.
    var tests: [Test] = []
    /// Of each list at least one test did not hold before.
    var refutations: [[Test]] = []
    var effect = Effect.none

    /// Whether the step can be anywhere in an order and changes nothing.
    var isIdle: Bool { tests.isEmpty && refutations.isEmpty && effect == .none }

    /// The same step on other values.
    func map<Other>(_ transform: (Value) -> Other) -> RegisterStep<Other> {
        func mapped(_ test: Test) -> RegisterStep<Other>.Test {
            switch test {
            case .absent: .absent
            case .present: .present
            case .value(let relation, let operand): .value(relation, transform(operand))
            case .never: .never
            }
        }
        let effect: RegisterStep<Other>.Effect =
            switch self.effect {
            case .none: .none
            case .put(let value): .put(transform(value))
            case .delete: .delete
            }
        return RegisterStep<Other>(
            tests: tests.map(mapped), refutations: refutations.map { $0.map(mapped) },
            effect: effect)
    }

    func forEachValue(_ body: (Value) -> Void) {
        for test in tests { if case .value(_, let value) = test { body(value) } }
        for refutation in refutations {
            for test in refutation { if case .value(_, let value) = test { body(value) } }
        }
        if case .put(let value) = effect { body(value) }
    }
}

extension RegisterStep<Bytes> {
    /// The operation saw this value, or nothing, after what it had done to the key itself.
    mutating func see(_ value: Bytes?) {
        switch effect {
        case .none: tests.append(value.map { .value(.equal, $0) } ?? .absent)
        case .put(let own): if value != own { tests.append(.never) }
        case .delete: if value != nil { tests.append(.never) }
        }
    }

    /// The operation saw whether there was a value, after what it had done to the key itself.
    mutating func seePresence(_ isPresent: Bool) {
        let expected: Bool
        switch effect {
        case .none: return tests.append(isPresent ? .present : .absent)
        case .put: expected = true
        case .delete: expected = false
        }
        if isPresent != expected { tests.append(.never) }
    }
}
