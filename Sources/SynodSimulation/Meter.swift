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
    /// By slot: how often it was sent to acceptors.
    private var rounds: [Slot: (last: Instant, count: UInt64)] = [:]
    private(set) var answersByClient: [Int: UInt64] = [:]
    /// Requests under way.
    private var openCount = 0
    /// Since when somebody has been waiting and nobody has been answered; nil while nobody waits: that
    /// clients think is no gap.
    private var waitingSince: Instant?
    /// How often commands were tried, while somebody wants to know.
    var attempts: Attempts?
    /// The longest time for which somebody waited until an answer came, to anybody.
    private var longestGap = Interval(nanoseconds: 0)

    /// An entry is sent to acceptors; everything sent at one time is one round.
    mutating func proposed(_ slot: Slot, at now: Instant) {
        guard let known = rounds[slot] else { return rounds[slot] = (now, 1) }
        if now > known.last { rounds[slot] = (now, known.count + 1) }
    }

    /// Rounds of phase 2 in all, and slots that they were for.
    var phase2: (rounds: UInt64, slots: UInt64) {
        (rounds.values.reduce(0) { $0 + $1.count }, UInt64(rounds.count))
    }

    mutating func called(at now: Instant) {
        openCount += 1
        if waitingSince == nil { waitingSince = now }
    }

    mutating func finished(_ call: Clients.Call, _ outcome: Outcome, at now: Instant) {
        switch outcome {
        case .refused: refused += 1
        case .unknown: unknown += 1
        case .answered:
            answered += 1
            worstLatency = max(worstLatency, now.since(call.at))
            answersByClient[call.client, default: 0] += 1
            if let waitingSince { longestGap = max(longestGap, now.since(waitingSince)) }
            waitingSince = now
        }
        openCount -= 1
        if openCount == 0 { waitingSince = nil }
    }

    /// The longest time for which somebody has waited and nobody was answered, until now.
    func longestGap(at now: Instant) -> Interval {
        max(longestGap, waitingSince.map { now.since($0) } ?? longestGap)
    }

    /// Starts measuring gaps anew.
    mutating func restartGaps(at now: Instant) {
        waitingSince = openCount > 0 ? now : nil
        longestGap = Interval(nanoseconds: 0)
    }
}
