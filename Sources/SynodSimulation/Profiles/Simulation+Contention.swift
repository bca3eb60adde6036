import SynodBytes
import SynodCheck
import SynodNode
import SynodPaxos

/// The run of the `contention` profile: clients that never pause write keys of their own, then all
/// of them one key, then keys of their own again. What replicas send takes as long as their links
/// need for it, so that it matters who sends it.
extension Simulation {
    private static let bound = Interval.seconds(5)

    /// What was seen while the clients wrote one kind of keys.
    private struct Phase {
        let length: Interval
        /// By replica: decided commands of its clients.
        let decided: [UInt64]
        let modes: [Modes]
        let end: Instant

        /// Per second.
        var rate: Double {
            Double(decided.reduce(0, +)) * 1e9 / Double(length.nanoseconds)
        }
    }

    func runContention() {
        for index in clients.all.indices { clients.all[index].host = index % hosts.count }
        guard startWorking() != nil else { return }
        beginClients()
        let before = write(.own, for: .seconds(1))
        meter.attempts = Attempts()
        let contended = write(.uniform, for: Self.bound + .seconds(1))
        let attempts = meter.attempts?.counts ?? []
        meter.attempts = nil
        let after = write(.own, for: Self.bound)
        guard failure == nil else { return }
        let converged = contended.modes.map { $0.settled(at: contended.end) ?? contended.length }
        let proposed = hosts.indices.filter { before.modes[$0].isProposing }
        let expanded = proposed.map {
            after.modes[$0].settled(true, at: after.end) ?? after.length
        }
        let fairness = fairness(contended)
        figures = [
            Figure("clients", count: UInt64(clients.workload.clients), .min, .max),
            Figure("decisions per second alone", ratio: before.rate, .min, .p50, .max),
            Figure("decisions per second on one key", ratio: contended.rate, .min, .p50, .max),
            Figure("decisions per second alone again", ratio: after.rate, .min, .p50, .max),
            Figure("on one key to alone", ratio: contended.rate / before.rate, .min, .p50),
            Figure("attempts per decision", counts: attempts, .mean, .p99, .max),
            Figure("fairness (Jain)", ratio: fairness, .min, .p50),
            Figure("replicas that propose alone", count: UInt64(proposed.count), .min, .max),
            Figure(
                "replicas that propose on one key",
                count: UInt64(contended.modes.count { $0.isProposing }), .min, .max),
            Figure("governors have converged after", times: converged, .p50, .p99, .max),
            Figure("and propose again after", times: expanded, .p50, .p99, .max),
        ]
        // With other settings it is there to compare.
        guard plan.options.leavesProfileAsItIs else { return }
        demand(contended.rate / before.rate, attempts, fairness, converged, expanded)
    }

    /// Until somebody is followed by all. Returns who.
    func startWorking() -> Int? {
        run(until: now + .seconds(8)) { commonLeader != nil }
        guard failure == nil else { return nil }
        guard let leader = commonLeader.flatMap({ index(of: $0) }) else {
            fail(.liveness, "I10", "no leader after eight seconds")
            return nil
        }
        return leader
    }

    /// Lets the clients write such keys for a while.
    private func write(_ keys: Workload.Keys, for span: Interval) -> Phase {
        clients.maker.workload.keys = keys
        let (start, end) = (now, now + span)
        var modes = hosts.map { Modes(isProposing: $0.glance?.isProposing ?? false, at: start) }
        run(until: end) {
            for index in hosts.indices {
                modes[index].note(hosts[index].glance?.isProposing ?? false, at: now)
            }
            return false
        }
        return Phase(length: span, decided: answers(since: start), modes: modes, end: end)
    }

    /// By replica: calls answered since then.
    func answers(since start: Instant) -> [UInt64] {
        var counts = [UInt64](repeating: 0, count: hosts.count)
        for call in clients.calls {
            guard case .answered(let at, _) = call.outcome, at >= start.nanoseconds else {
                continue
            }
            counts[call.host] += 1
        }
        return counts
    }

    /// Between replicas that have clients, each of which counts as many times as it has some.
    private func fairness(_ phase: Phase) -> Double {
        let shares = hosts.indices.compactMap { index -> UInt64? in
            let count = clients.all.count { $0.host == index }
            return count == 0 ? nil : phase.decided[index] * 1000 / UInt64(count)
        }
        return Self.fairness(shares)
    }

    /// The targets; a profile that misses one has not come to an end in time.
    private func demand(
        _ ratio: Double, _ attempts: [UInt64], _ fairness: Double, _ converged: [Interval],
        _ expanded: [Interval]
    ) {
        if ratio < 0.5 {
            fail(.liveness, "I10", "on one key as many as \(ratio.text) of the decisions alone")
        }
        let p99 = attempts.isEmpty ? 0 : attempts.sorted()[attempts.count * 99 / 100]
        if p99 > 2 { fail(.liveness, "I10", "a hundredth of the decisions took \(p99) attempts") }
        // Fewer clients than replicas are as fast as the way to the leader is short.
        if fairness < 0.9, clients.workload.clients > hosts.count {
            fail(.liveness, "I10", "the fairness is \(fairness.text)")
        }
        if let last = converged.max(), last > Self.bound {
            fail(.liveness, "I10", "a governor had not converged after \(Self.bound.text)")
        }
        if let last = expanded.max(), last >= Self.bound {
            fail(.liveness, "I10", "a replica did not propose again within \(Self.bound.text)")
        }
    }
}
