import SynodBytes

/// An operation as seen by one key.
///
/// Of an operation on several keys each key sees its own part, at one instant between call and
/// return, but no longer that it is the same instant for all of them: the projection asks for less
/// than the operation promises, so it never makes a violation of a history that has none.
struct Projection {
    let key: Bytes

    /// What the operation may do to the key: one step if its answer is known, otherwise one for
    /// each way through its transactions. At most one of these happens in truth; that both may
    /// happen in the search only asks for less.
    func steps(of request: Request, answered body: Body?) -> [RegisterStep<Bytes>] {
        extended(RegisterStep(), by: request, body)
    }

    private func extended(
        _ step: RegisterStep<Bytes>, by request: Request, _ body: Body?
    ) -> [RegisterStep<Bytes>] {
        var step = step
        switch request {
        case .put(let key, let value, let wantsPrevious):
            guard key == self.key else { return [step] }
            if wantsPrevious, case .put(let previous) = body { step.see(previous?.value) }
            step.effect = .put(value)
        case .delete(let range, let wantsPrevious):
            guard range.contains(key) else { return [step] }
            if case .delete(let count, let previous) = body {
                see(count, wantsPrevious ? previous : nil, range, &step)
            }
            step.effect = .delete
        case .range(let range, _):
            guard range.contains(key) else { return [step] }
            if case .range(let found, _) = body { step.see(value(in: found)) }
        case .txn(let compares, let success, let failure):
            return extended(step, by: compares, success, failure, body)
        }
        return [step]
    }

    private func see(
        _ count: Int64, _ previous: [KeyValue]?, _ range: KeyRange,
        _ step: inout RegisterStep<Bytes>
    ) {
        if let previous {
            step.see(value(in: previous))
        } else if count == 0 || range.upper == nil {
            step.seePresence(count > 0)
        }
    }

    private func extended(
        _ step: RegisterStep<Bytes>, by compares: [Compare], _ success: [Request],
        _ failure: [Request], _ body: Body?
    ) -> [RegisterStep<Bytes>] {
        var ways: [RegisterStep<Bytes>] = []
        let (succeeded, bodies): (Bool?, [Body]?) =
            if case .txn(let succeeded, let bodies) = body { (succeeded, bodies) } else {
                (nil, nil)
            }
        if succeeded != false {
            let tests = compares.filter { $0.key == key }.compactMap { CompareTest($0).test }
            var way = step
            way.tests += tests
            ways += through(success, bodies, from: way)
        }
        if succeeded != true {
            var way = step
            if let refuted = refutation(of: compares) { way.refutations.append(refuted) }
            ways += through(failure, bodies, from: way)
        }
        return ways
    }

    private func through(
        _ requests: [Request], _ bodies: [Body]?, from step: RegisterStep<Bytes>
    ) -> [RegisterStep<Bytes>] {
        var steps = [step]
        for (index, request) in requests.enumerated() {
            let body = bodies.flatMap { index < $0.count ? $0[index] : nil }
            steps = steps.flatMap { extended($0, by: request, body) }
        }
        return steps
    }

    /// What cannot all have held where a transaction took its other branch; nil if another key, or
    /// a number that a register does not know, may have been the reason.
    private func refutation(of compares: [Compare]) -> [RegisterStep<Bytes>.Test]? {
        var tests: [RegisterStep<Bytes>.Test] = []
        for compare in compares {
            let translated = CompareTest(compare)
            guard compare.key == key, translated.isExact else { return nil }
            if let test = translated.test { tests.append(test) }
        }
        return tests
    }

    /// Answers are in the order of keys.
    private func value(in found: [KeyValue]) -> Bytes? {
        let place = found.binarySearch { !$0.key.lexicographicallyPrecedes(key) }
        return place < found.count && found[place].key == key ? found[place].value : nil
    }
}
