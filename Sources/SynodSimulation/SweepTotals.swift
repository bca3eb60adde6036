package import SynodPaxos

/// What came of many runs.
package struct SweepTotals: Sendable {
    package private(set) var seeds: UInt64 = 0
    package private(set) var virtualNanoseconds: UInt64 = 0
    package private(set) var events: UInt64 = 0
    package private(set) var decisions: UInt64 = 0
    package private(set) var answered: UInt64 = 0
    package private(set) var refused: UInt64 = 0
    package private(set) var unknown: UInt64 = 0
    package private(set) var faults = FaultTally()
    private var enabledFaults: Set<FaultID> = []
    /// The longest latencies, longest first, each with its seed.
    package private(set) var worst: [(seed: UInt64, latency: Interval)] = []
    package private(set) var longestSettling: (seed: UInt64, span: Interval)?
    /// Those of the profile, in its order.
    package private(set) var figures: [Figure] = []
    /// In the order of their seeds.
    package private(set) var failures: [Report] = []

    package init() {}

    package mutating func add(_ report: Report) {
        seeds += 1
        virtualNanoseconds += report.virtualTime.nanoseconds
        events += report.events
        decisions += report.decisions
        answered += report.answered
        refused += report.refused
        unknown += report.unknown
        faults.add(report.faults)
        enabledFaults.formUnion(report.enabledFaults)
        worst.append((report.options.seed, report.worstLatency))
        // Ties in the order of seeds, so that threads do not matter.
        worst.sort { $0.latency == $1.latency ? $0.seed < $1.seed : $0.latency > $1.latency }
        worst.removeLast(max(0, worst.count - 5))
        let (seed, span) = (report.options.seed, report.settling)
        let longest = longestSettling ?? (0, Interval(nanoseconds: 0))
        if span > longest.span || (span == longest.span && seed < longest.seed) {
            longestSettling = (seed, span)
        }
        for figure in report.figures { add(figure.of(seed: seed)) }
        guard report.failure != nil else { return }
        failures.append(report)
        failures.sort { $0.options.seed < $1.options.seed }
    }

    /// Faults that runs had, and that had no effect in any.
    package var unfired: [FaultID] {
        FaultID.allCases.filter { enabledFaults.contains($0) && faults[$0] == 0 }
    }

    private mutating func add(_ figure: Figure) {
        if let place = figures.firstIndex(where: { $0.name == figure.name }) {
            figures[place].add(figure)
        } else {
            figures.append(figure)
        }
    }
}
