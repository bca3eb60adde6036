import SynodSimulation
import Testing

/// A smaller run is worth nothing if it fails for another reason.
struct ShrinkerTests {
    /// Shrinks a run of which some faults are to blame; leaving out another one that is drawn breaks
    /// another promise of the same class.
    private func shrink(blaming blamed: Set<FaultID>, misleading: FaultID) throws -> [FaultID] {
        var smallest: [FaultID] = []
        var shrinker = Shrinker(
            RunOptions(seed: 1), tell: { _ in },
            attempt: { options in
                guard blamed.isDisjoint(with: options.without), options.seconds == nil,
                    options.operations == nil, options.replicas == nil
                else { return Shrinker.Ending(code: 0, invariant: nil) }
                guard !options.without.contains(misleading) else {
                    return Shrinker.Ending(code: 128, invariant: "I7")
                }
                smallest = options.without
                return Shrinker.Ending(code: 128, invariant: "I10")
            })
        #expect(try shrinker.run() == Shrinker.Ending(code: 128, invariant: "I10"))
        return smallest
    }

    @Test func anotherInvariantOfTheSameClassIsAnotherFailure() throws {
        let drawn = Simulation.outline(of: RunOptions(seed: 1)).faults
        let (blamed, misleading) = (drawn[0], drawn[1])
        #expect(
            try shrink(blaming: [blamed], misleading: misleading) == Array(drawn.dropFirst(2)))
    }

    @Test func aRunThatDoesNotFailStaysAsItIs() throws {
        var lines: [String] = []
        var shrinker = Shrinker(
            RunOptions(seed: 1), tell: { lines.append($0) },
            attempt: { _ in Shrinker.Ending(code: 0, invariant: nil) })
        #expect(try shrinker.run().code == 0)
        #expect(lines == ["the run does not fail: synod sim --seed 1"])
    }
}
