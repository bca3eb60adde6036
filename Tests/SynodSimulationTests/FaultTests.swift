import SynodPaxos
import SynodSimulation
import Testing

/// Faults that never happen test nothing.
struct FaultTests {
    /// Each fault of the table fires with effect over some seeds.
    @Test func everyFaultFires() {
        var tally = FaultTally()
        for seed in 1...150 as ClosedRange<UInt64> {
            tally.add(Simulation(RunOptions(seed: seed)).execute().faults)
        }
        for seed in 1...20 as ClosedRange<UInt64> {
            for profile in [Profile.amnesia, .slowdisk] {
                tally.add(Simulation(RunOptions(seed: seed, profile: profile)).execute().faults)
            }
        }
        // Those of grants are rare where few are asked for.
        for seed in 61...120 as ClosedRange<UInt64> {
            var options = RunOptions(seed: seed)
            options.proposers = .everyone
            tally.add(Simulation(options).execute().faults)
        }
        tally.add(Simulation(RunOptions(seed: 1, profile: .revived)).execute().faults)
        for fault in FaultID.allCases { #expect(tally[fault] > 0, "\(fault.rawValue) never fires") }
    }

    @Test func aFaultThatIsLeftOutDoesNotFire() {
        for fault in FaultID.allCases {
            var options = RunOptions(seed: 2)
            options.without = FaultID.allCases.filter { $0 != fault }
            let faults = Simulation(options).execute().faults
            for other in faults.fired.map(\.id) where other != fault {
                Issue.record("\(other.rawValue) fires when only \(fault.rawValue) may")
            }
        }
    }
}
