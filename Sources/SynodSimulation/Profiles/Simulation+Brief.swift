import SynodNode
import SynodPaxos

/// The run of the `brief` profile: one request after the other, far enough apart that the failures
/// are independent, as in the theory.
extension Simulation {
    /// So many decisions tell how many rounds one takes: with two replicas, where it takes most, the
    /// mean then is known to two hundredths.
    private static let tellingDecisions: UInt64 = 200

    func runBrief() {
        beginClients()
        let asked = clients.workload.operations
        // What a request takes at most, and a few more, because some are made again.
        let each = clients.workload.thinking + clients.workload.patience
        run(until: now + each * UInt64(asked + 10)) { clients.isDone }
        if meter.answered < UInt64(asked) {
            fail(.liveness, "I12", "\(meter.answered) of \(asked) requests were decided")
        }
        let (rounds, slots) = meter.phase2
        let measured = Double(rounds) / Double(max(slots, 1))
        // The leader's own acceptor gets no messages, so that it does not fail either.
        let ok = Self.chanceOfAnswers(hosts.count / 2, of: hosts.count - 1, failing: 0.05)
        let allFailing = Self.chanceOfAnswers(hosts.count / 2 + 1, of: hosts.count, failing: 0.05)
        let ratio = measured * ok
        figures = [
            Figure("requests made", count: UInt64(asked), .total),
            Figure("requests decided", count: meter.answered, .total),
            Figure("rounds per decision", ratio: measured, .mean, .max),
            Figure("in theory, phase 2", ratio: 1 / ok, .mean),
            Figure("measured to theory, phase 2", ratio: ratio, .mean, .min, .max),
            Figure(
                "in theory, if a leader's own acceptor failed, too", ratio: 1 / allFailing, .mean),
            Figure("the same, both phases", ratio: 1 / (allFailing * allFailing), .mean),
            Figure("messages handled by acceptors and learners", count: brief.handled, .total),
        ]
        figures += brief.figures
        if slots >= Self.tellingDecisions, !(0.9...1.1).contains(ratio) {
            fail(
                .liveness, "I10",
                "\(measured.text) rounds per decision are \(ratio.text) of those in theory")
        }
    }

    /// That so many acceptors or more answer, each of which fails independently.
    static func chanceOfAnswers(_ fewest: Int, of count: Int, failing: Double) -> Double {
        var sum = 0.0
        for answers in fewest...count {
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
