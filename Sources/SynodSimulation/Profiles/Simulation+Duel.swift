import SynodBytes
import SynodCheck
import SynodNode
import SynodPaxos

/// The run of the `duel` profile: again and again all replicas start at once and want to lead,
/// while many clients want to write one key. A gap is time in which somebody waits and nobody is
/// answered; the pauses of the clients are none.
extension Simulation {
    private static let duels = 10

    func runDuel() {
        run(until: now + .seconds(3))
        let alone = latencyAlone()
        beginClients()
        var elections: [Interval] = []
        var longestGap = Interval(nanoseconds: 0)
        for _ in 0..<Self.duels where failure == nil {
            guard let election = duel() else { break }
            elections.append(election)
            longestGap = max(longestGap, meter.longestGap(at: now))
        }
        guard failure == nil else { return }
        let longestElection = elections.max() ?? Interval(nanoseconds: 0)
        let (rounds, slots) = meter.phase2
        let answers = (0..<clients.workload.clients).map { meter.answersByClient[$0] ?? 0 }
        let fairness = Self.fairness(answers)
        figures = [
            Figure("clients", count: UInt64(clients.workload.clients), .min, .max),
            Figure("time to a stable leader", times: elections, .p50, .p99, .max),
            Figure("election timeout", times: [plan.timing.election], .max),
            Figure(
                "rounds per decision", ratio: Double(rounds) / Double(max(slots, 1)), .mean, .max),
            Figure("latency of a client alone", times: [alone], .min, .p50, .max),
            Figure("longest gap under a stable leader", times: [longestGap], .p50, .max),
            Figure(
                "longest gap by latency alone", ratio: longestGap.ratio(to: alone), .p50, .max),
            Figure("fairness (Jain)", ratio: fairness, .min, .p50),
        ]
        demand(longestElection, longestGap, alone, fairness)
    }

    /// The targets; a profile that misses one has not come to an end in time.
    private func demand(
        _ election: Interval, _ gap: Interval, _ alone: Interval, _ fairness: Double
    ) {
        if election > plan.timing.election * 3 {
            fail(.liveness, "I10", "a stable leader took \(election.text)")
        }
        if gap > alone * 10 {
            fail(.liveness, "I10", "nobody was answered for \(gap.text), alone it is \(alone.text)")
        }
        if fairness < 0.9 { fail(.liveness, "I10", "the fairness is \(fairness.text)") }
    }

    /// The mean latency of one request at a time.
    private func latencyAlone() -> Interval {
        var sum = Interval(nanoseconds: 0)
        let count: UInt64 = 20
        for number in 0..<count where failure == nil {
            let client = clients.addProbe(at: Int(number) % hosts.count)
            let call = call(
                .put(key: Bytes("alone".utf8), value: Bytes("\(number)".utf8)), by: client,
                at: Int(number) % hosts.count)
            let start = now
            run(until: now + .seconds(10)) { clients.isAnswered(call) }
            if failure == nil, !clients.isAnswered(call) {
                fail(.liveness, "I10", "a client alone was not answered")
            }
            sum = sum + now.since(start)
        }
        return sum / count
    }

    /// All replicas die and start at once. Returns how long it took until they followed one leader
    /// for good.
    private func duel() -> Interval? {
        tally.fired(.p3)
        for host in hosts { crash(host, restartAfter: .milliseconds(50), tellsPeers: false) }
        run(until: now + .milliseconds(50))
        let start = now
        var agreedAt: Instant?
        var leader: ReplicaID?
        run(until: now + plan.timing.election * 5) {
            let common = commonLeader
            if common != leader || common == nil {
                leader = common
                agreedAt = common == nil ? nil : now
                meter.restartGaps(at: now)
            }
            return false
        }
        guard failure == nil else { return nil }
        guard let agreedAt else {
            fail(.liveness, "I10", "no leader five election timeouts after the start of all")
            return nil
        }
        return agreedAt.since(start)
    }

    /// The leader that all replicas follow, and who leads.
    var commonLeader: ReplicaID? {
        guard let leader = hosts[0].glance?.leader, let index = index(of: leader),
            hosts[index].glance?.isLeading == true
        else { return nil }
        return hosts.allSatisfy { $0.glance?.leader == leader } ? leader : nil
    }

    /// Jain's index: 1 when all have the same.
    static func fairness(_ shares: [UInt64]) -> Double {
        let sum = shares.reduce(0.0) { $0 + Double($1) }
        let squares = shares.reduce(0.0) { $0 + Double($1) * Double($1) }
        return squares == 0 ? 1 : sum * sum / (Double(shares.count) * squares)
    }
}
