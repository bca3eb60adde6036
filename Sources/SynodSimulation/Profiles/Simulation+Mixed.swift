import SynodBytes
import SynodCheck
import SynodNode
import SynodPaxos

/// The run of the `mixed` profile: reads, writes and transactions on two keys, while all replicas
/// propose over links of which none is as fast as the other. The same is run where commands are
/// executed in the order of slots.
extension Simulation {
    /// Until so many requests are answered: the two runs think and wait at other times, which matters by a
    /// few per cent over that many. Nothing is lost, or a single message would make more of a difference.
    private static let enough: UInt64 = 10_000
    /// Or until another leads: a far leader halves what all do, and when it loses a majority is chance. Of
    /// fewer requests than these nothing can be said then.
    private static let fewest: UInt64 = 2_000
    private static let settling = Interval.seconds(2)
    private static let longest = Interval.seconds(100)
    private static let leastGain = 0.95

    func runMixed() {
        figures = measureMixed()
        guard failure == nil, plan.options.executesByKey else { return }
        var options = plan.options
        options.executesByKey = false
        let bySlot = Simulation(options, isInterrupted: isInterrupted).execute()
        if let failure = bySlot.failure {
            return fail(failure.kind, failure.invariant, "by slot: \(failure.message)")
        }
        guard min(meter.answered, bySlot.answered) >= Self.fewest else {
            figures += bySlot.figures
            return
        }
        let rates = [figures, bySlot.figures].map { $0.first?.results.first?.value ?? 0 }
        let gain = rates[0] / rates[1]
        figures += bySlot.figures
        figures.append(Figure("\(keysText) keys, by key to by slot", ratio: gain, .min, .p50, .max))
        if gain < Self.leastGain, plan.options.leavesProfileAsItIs {
            fail(.liveness, "I10", "\(gain.text) of the requests by slot")
        }
    }

    private var keysText: String { clients.workload.keys == .zipf ? "Zipf" : "uniform" }

    /// Requests per second come first.
    private func measureMixed() -> [Figure] {
        setPaces()
        guard startWorking() != nil else { return [] }
        // The first to lead is often deposed at once; who comes then is the same in both runs.
        run(until: now + Self.settling)
        guard let leader = startWorking() else { return [] }
        beginClients()
        let (start, before) = (now, meter.answered)
        run(until: now + Self.longest) {
            meter.answered - before >= Self.enough
                || commonLeader.map { index(of: $0) != leader } ?? false
        }
        let answered = meter.answered - before
        let rate = Double(answered) * 1e9 / Double(now.since(start).nanoseconds)
        let name = "\(keysText) keys, \(plan.options.executesByKey ? "by key" : "by slot")"
        return [
            Figure("\(name), requests per second", ratio: rate, .min, .p50, .max),
            Figure("\(name), latency", times: latencies, .p50, .p99, .max),
        ]
    }

    /// Of all that was answered.
    private var latencies: [Interval] {
        clients.calls.compactMap { call in
            guard case .answered(let at, _) = call.outcome else { return nil }
            return Instant(nanoseconds: at).since(call.at)
        }
    }

    /// Every link has a pace of its own, and one replica is far away.
    private func setPaces() {
        let far = nemesis.draw(.n11) { $0.index(hosts.count) }
        for from in hosts.indices {
            for to in hosts.indices where from != to {
                let pace = nemesis.draw(.n11) { 1 + $0.below(4) }
                links[from, to].slowness = from == far || to == far ? pace * 4 : pace
            }
        }
    }
}
