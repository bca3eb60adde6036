package import SynodPaxos

/// What came of a run.
package struct Report: Sendable {
    package let options: RunOptions
    package let replicas: Int
    /// Who proposes, replica by replica.
    package let proposers: [ProposerPolicy]
    package var failure: Failure?
    /// The same for the same options, in every process.
    package var digest: UInt64 = 0
    package var virtualTime = Interval(nanoseconds: 0)
    package var events: UInt64 = 0
    package var steps: UInt64 = 0
    package var decisions: UInt64 = 0
    package var answered: UInt64 = 0
    package var refused: UInt64 = 0
    package var unknown: UInt64 = 0
    package var worstLatency = Interval(nanoseconds: 0)
    /// From the end of the faults until everything had come to rest; zero if it was not looked at.
    package var settling = Interval(nanoseconds: 0)
    package var faults = FaultTally()
    /// Those that could fire.
    package var enabledFaults: [FaultID] = []
    package var figures: [Figure] = []
}
