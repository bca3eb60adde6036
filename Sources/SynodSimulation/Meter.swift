import SynodCheck
import SynodPaxos

/// Measures what people ask about a run.
struct Meter {
    var steps: UInt64 = 0
    var answered: UInt64 = 0
    var refused: UInt64 = 0
    var unknown: UInt64 = 0
    /// From call to answer, of answered requests.
    private(set) var worstLatency = Interval(nanoseconds: 0)
    private(set) var latencies: [Interval] = []
    /// By slot: how often it was sent to acceptors before it was chosen.
    private var rounds: [Slot: (last: Instant, count: UInt64)] = [:]
    private(set) var answersByClient: [Int: UInt64] = [:]
    private var lastAnswerAt: Instant?
    private(set) var longestGap = Interval(nanoseconds: 0)
    /// When each replica last started, for measuring elections.
    private var startedAt: [Int: Instant] = [:]
    private var acceptedAt: [UInt64: Instant] = [:]

    mutating func started(_ index: Int, at now: Instant) { startedAt[index] = now }

    mutating func accepted(_ call: UInt64, at now: Instant) { acceptedAt[call] = now }

    /// An entry is sent to acceptors; everything sent at one time is one round.
    mutating func proposed(_ slot: Slot, at now: Instant) {
        guard let known = rounds[slot] else { return rounds[slot] = (now, 1) }
        if now > known.last { rounds[slot] = (now, known.count + 1) }
    }

    /// Rounds of phase 2 in all, and slots that they were for.
    var phase2: (rounds: UInt64, slots: UInt64) {
        (rounds.values.reduce(0) { $0 + $1.count }, UInt64(rounds.count))
    }

    mutating func finished(_ call: Clients.Call, _ outcome: Outcome, at now: Instant) {
        switch outcome {
        case .refused: refused += 1
        case .unknown: unknown += 1
        case .answered:
            answered += 1
            let latency = now.since(call.at)
            worstLatency = max(worstLatency, latency)
            latencies.append(latency)
            answersByClient[call.client, default: 0] += 1
            if let lastAnswerAt { longestGap = max(longestGap, now.since(lastAnswerAt)) }
            lastAnswerAt = now
        }
    }

    /// Starts measuring gaps anew.
    mutating func restartGaps() {
        lastAnswerAt = nil
        longestGap = Interval(nanoseconds: 0)
    }

    /// The latency that so many of a hundred stay under.
    func latency(percentile: Int) -> Interval {
        let sorted = latencies.sorted()
        guard !sorted.isEmpty else { return Interval(nanoseconds: 0) }
        return sorted[min(sorted.count - 1, sorted.count * percentile / 100)]
    }
}
