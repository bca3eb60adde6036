import SynodNode
import SynodPaxos

/// The run of the `brief` profile: one request after the other, far enough apart that the failures
/// are independent, as in the theory.
extension Simulation {
    func runBrief() {
        beginClients()
        let end = now + .seconds(20_000)
        run(until: end) { clients.isDone }
        guard failure == nil else { return }
        let asked = clients.workload.operations
        if meter.answered < UInt64(asked) {
            fail(.liveness, "I12", "\(meter.answered) of \(asked) requests were decided")
        }
        let (rounds, slots) = meter.phase2
        let measured = Double(rounds) / Double(max(slots, 1))
        let ok = Self.chanceOfPhase(count: hosts.count, failing: 0.05)
        figures = [
            Figure("requests made", count: UInt64(asked), .total),
            Figure("requests decided", count: meter.answered, .total),
            Figure("rounds per decision", ratio: measured, .mean, .max),
            Figure("in theory, phase 2", ratio: 1 / ok, .mean),
            Figure("in theory, both phases", ratio: 1 / (ok * ok), .mean),
            Figure("messages handled by acceptors and learners", count: brief.handled, .total),
        ]
        figures += brief.figures
        if measured > 1.1 / (ok * ok), slots > 100 {
            fail(.liveness, "I10", "\(measured.text) rounds per decision")
        }
    }

    /// That a majority of acceptors answers, each of which fails independently.
    static func chanceOfPhase(count: Int, failing: Double) -> Double {
        var sum = 0.0
        for answers in (count / 2 + 1)...count {
            var term = 1.0
            for index in 0..<answers {
                term *= Double(count - index) / Double(index + 1) * (1 - failing)
            }
            for _ in answers..<count { term *= failing }
            sum += term
        }
        return sum
    }
}
