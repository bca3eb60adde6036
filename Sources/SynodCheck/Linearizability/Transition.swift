/// A ``RegisterStep`` made ready for a search that takes it very often: values are numbers in
/// their order, from 1, and nothing is 0, so that every test is a comparison of integers.
struct Transition {
    /// What tests allow: a closed range of states with at most one hole.
    private struct Test {
        let low: Int32
        let high: Int32
        var hole: Int32 = -1

        func holds(_ state: Int32) -> Bool { low <= state && state <= high && state != hole }
    }

    private let tests: [Test]
    private let refutations: [[Test]]
    /// Nil where the register keeps what it holds.
    let target: Int32?

    init(_ step: RegisterStep<Int32>) {
        tests = step.tests.map(Self.test)
        refutations = step.refutations.map { $0.map(Self.test) }
        target =
            switch step.effect {
            case .none: nil
            case .put(let value): value
            case .delete: 0
            }
    }

    /// The state behind this one, or nil if the step is impossible here.
    func apply(_ state: Int32) -> Int32? {
        for test in tests where !test.holds(state) { return nil }
        for refutation in refutations where refutation.allSatisfy({ $0.holds(state) }) {
            return nil
        }
        return target ?? state
    }

    /// Whether every state allows the step.
    var isUnconditional: Bool { tests.isEmpty && refutations.isEmpty }

    /// The one state that allows the step, if that is all that its tests say.
    var onlyState: Int32? {
        guard refutations.isEmpty, tests.count == 1, tests[0].low == tests[0].high else {
            return nil
        }
        return tests[0].low
    }

    private static func test(_ test: RegisterStep<Int32>.Test) -> Test {
        switch test {
        case .absent: Test(low: 0, high: 0)
        case .present: Test(low: 1, high: .max)
        case .never: Test(low: 1, high: 0)
        case .value(.equal, let operand): Test(low: operand, high: operand)
        case .value(.greater, let operand): Test(low: operand + 1, high: .max)
        case .value(.less, let operand): Test(low: 1, high: operand - 1)
        case .value(.notEqual, let operand): Test(low: 1, high: .max, hole: operand)
        }
    }
}
