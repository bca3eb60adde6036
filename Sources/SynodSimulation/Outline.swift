import SynodPaxos

/// What a run is going to be, for whoever wants a smaller one.
package struct Outline: Sendable, Hashable {
    package let replicas: Int
    package let seconds: UInt64
    package let operations: Int
    package let faults: [FaultID]
}

extension Simulation {
    package static func outline(of options: RunOptions) -> Outline {
        let plan = Plan(options)
        return Outline(
            replicas: plan.replicas, seconds: max(1, plan.span.nanoseconds / 1_000_000_000),
            operations: plan.workload.operations, faults: plan.enabled)
    }
}
