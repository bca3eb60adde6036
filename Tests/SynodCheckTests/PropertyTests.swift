import Foundation
import SynodBytes
import SynodCheck
import Testing

/// The checkers against the definition, on random histories. A failure names its seed.
@Suite struct PropertyTests {
    static let isLong = ProcessInfo.processInfo.environment["SYNOD_LONG_TESTS"] != nil
    static let caseCount: UInt64 = isLong ? 60_000 : 3_000
    static let leewayCaseCount: UInt64 = isLong ? 1_000_000 : 120_000

    @Test func whatWasExecutedIsValid() {
        for seed in 0..<Self.caseCount / 20 {
            var random = RandomHistory(seed: seed, .wholeStore)
            random.keyCount = 1 + Int(seed % 12)
            random.repeatsValues = seed.isMultiple(of: 5)
            random.unknownPercentage = seed % 20
            random.placedPercentage = [0, 50, 100][Int(seed % 3)]
            let history = random.draw(300)
            expect(RevisionOrderCheck.judge(history), isValid: true, seed, history)
            expect(LinearizabilityCheck.judge(history), isValid: true, seed, history)
        }
    }

    @Test func theOrderOfRevisionsIsJudgedAsByBruteForce() {
        var validCount = 0
        for seed in 0..<Self.caseCount {
            let history = drawSmall(seed, .wholeStore)
            let isValid = BruteForce.isLinearizable(history, .revisions)
            validCount += isValid ? 1 : 0
            expect(RevisionOrderCheck.judge(history), isValid: isValid, seed, history)
            // An operation on several keys is more than its projections.
            if isValid { expect(LinearizabilityCheck.judge(history), isValid: true, seed, history) }
        }
        print("revision order: \(Self.caseCount) cases, of which \(validCount) are valid")
        #expect(validCount > Self.caseCount / 10 && validCount < Self.caseCount * 9 / 10)
    }

    /// What a store that executes by key may tell beyond what one may that does not; the leeway that it
    /// is allowed is not always the one that it takes.
    @Test func leewayIsGivenAsByBruteForce() {
        var validCount = 0
        var strictCount = 0
        for seed in 0..<Self.leewayCaseCount {
            var skipped: Set<Int64> = []
            let history = drawSmall(seed, seed.isMultiple(of: 2) ? .wholeStore : .registers) {
                $0.takesLeeway = true
            } after: {
                skipped = $0.skipped
                if $0.prng.chance(1, in: 4) {
                    skipped.formSymmetricDifference([2 + Int64($0.prng.below(5))])
                }
            }
            let leeway = Leeway(skipped: skipped, allowsLateHeaders: !seed.isMultiple(of: 7))
            let isValid = BruteForce.isLinearizable(history, .revisions, allowing: leeway)
            validCount += isValid ? 1 : 0
            if isValid, BruteForce.isLinearizable(history, .revisions) { strictCount += 1 }
            expect(
                RevisionOrderCheck.judge(history, allowing: leeway), isValid: isValid, seed, history
            )
        }
        let count = Self.leewayCaseCount
        print("leeway: \(count) cases, \(validCount) are valid, \(strictCount) without it as well")
        #expect(validCount > count / 10 && validCount < count * 9 / 10)
        #expect(validCount - strictCount > count / 10)
    }

    /// With places. The search leaves open which way a transaction with an unknown outcome took and
    /// does not look at such reads, so that those are without.
    @Test func registersWithPlacesAreJudgedAsByBruteForce() {
        var validCount = 0
        var forbiddenCount = 0
        for seed in 0..<Self.caseCount {
            var history = drawSmall(seed, .registers, placedPercentage: 80)
            for index in history.operations.indices {
                switch (history.operations[index].outcome, history.operations[index].request) {
                case (.unknown, .txn), (.unknown, .range): history.operations[index].place = nil
                default: break
                }
            }
            let isValid = BruteForce.isLinearizable(history, .values)
            validCount += isValid ? 1 : 0
            // Places of operations on different keys bind them too, which no key sees by itself.
            if isValid || history.namesOneKey {
                expect(LinearizabilityCheck.judge(history), isValid: isValid, seed, history)
            }
            if isValid, BruteForce.isLinearizable(history, .revisions) {
                expect(RevisionOrderCheck.judge(history), isValid: true, seed, history)
            }
            for index in history.operations.indices { history.operations[index].place = nil }
            if !isValid, BruteForce.isLinearizable(history, .values) { forbiddenCount += 1 }
        }
        print("places: \(validCount) are valid, \(forbiddenCount) would be without")
        #expect(validCount > Self.caseCount / 10 && forbiddenCount > Self.caseCount / 100)
    }

    @Test func registersAreJudgedAsByBruteForce() {
        var validCount = 0
        for seed in 0..<Self.caseCount {
            let history = drawSmall(seed, .registers)
            let isValid = BruteForce.isLinearizable(history, .values)
            validCount += isValid ? 1 : 0
            expect(LinearizabilityCheck.judge(history), isValid: isValid, seed, history)
            let isStrictlyValid = BruteForce.isLinearizable(history, .revisions)
            expect(RevisionOrderCheck.judge(history), isValid: isStrictlyValid, seed, history)
        }
        print("registers: \(Self.caseCount) cases, of which \(validCount) are valid")
        #expect(validCount > Self.caseCount / 10 && validCount < Self.caseCount * 9 / 10)
    }

    /// A few operations of which nearly all overlap, mutated more often than not.
    private func drawSmall(
        _ seed: UInt64, _ kind: RandomHistory.Kind, placedPercentage: UInt64 = 0,
        before: (inout RandomHistory) -> Void = { _ in },
        after: (inout RandomHistory) -> Void = { _ in }
    ) -> History {
        var random = RandomHistory(seed: seed, kind)
        random.placedPercentage = placedPercentage
        before(&random)
        random.keyCount = 1 + Int(seed % 3)
        random.repeatsValues = seed.isMultiple(of: 4)
        random.unknownPercentage = seed.isMultiple(of: 3) ? 45 : 15
        var history = random.draw(3 + Int(random.prng.below(5)))
        var mutation = Mutation(prng: random.prng.fork())
        if random.prng.chance(4, in: 5) { mutation.mutate(&history) }
        if history.operations.isEmpty { history = random.draw(3) }
        after(&random)
        return history
    }

    private func expect(_ verdict: Verdict, isValid: Bool, _ seed: UInt64, _ history: History) {
        guard verdict.isValid != isValid else { return }
        let lines = history.operations.count > 20 ? "" : "\(history.operations)"
        Issue.record("seed \(seed) should be \(isValid ? "valid" : "invalid"): \(verdict) \(lines)")
    }
}

extension History {
    fileprivate var namesOneKey: Bool {
        Set(
            operations.map { operation in
                switch operation.request {
                case .put(let key, _, _): key
                case .delete(let range, _), .range(let range, _): range.lower
                case .txn(let compares, _, _): compares[0].key
                }
            }
        ).count == 1
    }
}
