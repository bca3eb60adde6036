import SynodPaxos

/// A number that a profile is about. A run measures it once or several times, and a sweep in every
/// run; both tell the same of all that was measured.
package struct Figure: Sendable, Hashable {
    package enum Unit: Sendable {
        case count
        case ratio
        case nanoseconds
    }

    /// What is worth knowing of many measurements.
    package enum Statistic: String, Sendable {
        case total
        case mean
        case min
        case p50
        case p99
        case max
    }

    /// One statistic of all that was measured.
    package struct Result: Sendable, Hashable {
        package let statistic: Statistic
        package let value: Double
        /// The run that it comes from; nil if it comes from many, or from the only one.
        package let seed: UInt64?
    }

    private struct Measurement: Sendable, Hashable {
        let value: Double
        var seed: UInt64?
    }

    package let name: String
    package let unit: Unit
    private let statistics: [Statistic]
    private var measurements: [Measurement]

    private init(_ name: String, _ unit: Unit, _ statistics: [Statistic], _ values: [Double]) {
        self.name = name
        self.unit = unit
        self.statistics = statistics
        measurements = values.map { Measurement(value: $0) }
    }

    /// - Parameter count: nil if there was nothing to count.
    init(_ name: String, count: UInt64?, _ statistics: Statistic...) {
        self.init(name, .count, statistics, count.map { [Double($0)] } ?? [])
    }

    init(_ name: String, ratio: Double, _ statistics: Statistic...) {
        self.init(name, .ratio, statistics, [ratio])
    }

    init(_ name: String, counts: [UInt64], _ statistics: Statistic...) {
        self.init(name, .count, statistics, counts.map { Double($0) })
    }

    init(_ name: String, times: [Interval], _ statistics: Statistic...) {
        self.init(name, .nanoseconds, statistics, times.map { Double($0.nanoseconds) })
    }

    /// The same in the run of a seed, as a part of a sweep.
    func of(seed: UInt64) -> Figure {
        var copy = self
        for index in copy.measurements.indices { copy.measurements[index].seed = seed }
        return copy
    }

    mutating func add(_ other: Figure) {
        measurements += other.measurements
    }

    /// None if nothing was measured.
    package var results: [Result] {
        // Ties in the order of seeds, so that threads do not matter.
        let sorted = measurements.sorted {
            $0.value == $1.value ? ($0.seed ?? 0) < ($1.seed ?? 0) : $0.value < $1.value
        }
        guard let least = sorted.first, let most = sorted.last else { return [] }
        let total = sorted.reduce(0) { $0 + $1.value }
        return statistics.map { statistic in
            let (value, seed): (Double, UInt64?) =
                switch statistic {
                case .total: (total, nil)
                case .mean: (total / Double(sorted.count), nil)
                case .min: (least.value, least.seed)
                case .p50: (sorted[sorted.count / 2].value, nil)
                case .p99: (sorted[sorted.count * 99 / 100].value, nil)
                case .max: (most.value, sorted.first { $0.value == most.value }?.seed)
                }
            return Result(
                statistic: statistic, value: value, seed: least.value == most.value ? nil : seed)
        }
    }

    /// As people read it; nil if nothing was measured.
    package var text: String? {
        let results = results
        guard let first = results.first else { return nil }
        let isUniform = results.allSatisfy { $0.value == first.value }
        return (isUniform ? [first] : results).map { result in
            (isUniform || results.count == 1 ? "" : "\(result.statistic.rawValue) ")
                + text(of: result.value) + (result.seed.map { " (seed \($0))" } ?? "")
        }.joined(separator: ", ")
    }

    private func text(of value: Double) -> String {
        switch unit {
        case .count: "\(UInt64(value))"
        case .ratio: value.text
        case .nanoseconds: Interval(nanoseconds: UInt64(value)).text
        }
    }
}

extension Double {
    /// With four digits behind the point.
    var text: String {
        let scaled = Int((self * 10_000).rounded())
        return "\(scaled / 10_000)." + String(10_000 + scaled % 10_000).dropFirst()
    }
}
