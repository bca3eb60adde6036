import Foundation
import Histogram

/// What a run measured.
package struct BenchReport: Sendable, Codable {
    /// Of successful operations, in milliseconds.
    package struct Latency: Sendable, Codable {
        package let mean: Double
        package let p50: Double
        package let p90: Double
        package let p99: Double
        package let p999: Double
        package let max: Double
    }

    package let mode: BenchConfiguration.Mode
    package let endpoints: [String]
    package let clients: Int
    package let connections: Int
    package let keys: Int
    package let valueBytes: Int
    /// Operations per second that were asked for, if any.
    package let rate: Double?
    /// Operations that succeeded.
    package let operations: Int
    package let failedOperations: Int
    package let seconds: Double
    /// Successful ones only.
    package let operationsPerSecond: Double
    package let latencyMilliseconds: Latency
    /// How many operations failed, by message.
    package let errors: [String: Int]
    /// Processor time of the watched processes for each successful operation.
    package let processorMicrosecondsPerOperation: Double?
    /// Memory of the watched processes at the end of the run.
    package let residentBytes: Int?

    package init(
        _ configuration: BenchConfiguration, tally: Tally, elapsed: Duration,
        before: ProcessUsage?, after: ProcessUsage?
    ) {
        mode = configuration.mode
        endpoints = configuration.endpoints
        clients = configuration.clients
        connections = configuration.connections
        keys = configuration.keys
        valueBytes = configuration.valueBytes
        rate = configuration.rate
        operations = tally.succeeded
        failedOperations = tally.failed
        seconds = elapsed / .seconds(1)
        operationsPerSecond = seconds > 0 ? Double(tally.succeeded) / seconds : 0
        latencyMilliseconds = Latency(tally.latencies)
        errors = tally.errors
        if let before, let after, tally.succeeded > 0 {
            let used = after.processorMicroseconds - before.processorMicroseconds
            processorMicrosecondsPerOperation = used / Double(tally.succeeded)
        } else {
            processorMicrosecondsPerOperation = nil
        }
        residentBytes = after?.residentBytes
    }

    /// The report as one JSON object with sorted keys, on several lines.
    package var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else {
            preconditionFailure("A report is made of numbers and strings that JSON can hold.")
        }
        return String(decoding: data, as: UTF8.self)
    }

    /// The report for people.
    package var table: String {
        var rows = [
            ("mode", mode.rawValue),
            ("endpoints", endpoints.joined(separator: ", ")),
            ("load", "\(clients) clients on \(connections) connections"),
            ("data", "\(keys) keys, values of \(valueBytes) bytes"),
            ("operations", "\(operations) in \(decimal(seconds, 2)) s, \(failedOperations) failed"),
            ("throughput", "\(decimal(operationsPerSecond, 0)) operations/s" + target),
            ("latency p50", milliseconds(latencyMilliseconds.p50)),
            ("latency p90", milliseconds(latencyMilliseconds.p90)),
            ("latency p99", milliseconds(latencyMilliseconds.p99)),
            ("latency p99.9", milliseconds(latencyMilliseconds.p999)),
            ("latency max", milliseconds(latencyMilliseconds.max)),
        ]
        if let processorMicrosecondsPerOperation {
            let used = decimal(processorMicrosecondsPerOperation, 1)
            rows.append(("processor", "\(used) µs per operation, all watched processes"))
        }
        if let residentBytes {
            let used = decimal(Double(residentBytes) / 1_048_576, 0)
            rows.append(("memory", "\(used) MiB resident, all watched processes"))
        }
        for (message, count) in errors.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
            rows.append(("error", "\(count) × \(message)"))
        }
        return rows.map { name, value in
            name.padding(toLength: 15, withPad: " ", startingAt: 0) + value
        }.joined(separator: "\n")
    }

    private var target: String { rate.map { " of \(decimal($0, 0)) asked for" } ?? "" }
}

extension BenchReport.Latency {
    fileprivate init(_ histogram: Histogram<UInt64>) {
        func at(_ percentile: Double) -> Double {
            histogram.totalCount == 0
                ? 0 : Double(histogram.valueAtPercentile(percentile)) / 1000
        }
        mean = histogram.totalCount == 0 ? 0 : histogram.mean / 1000
        p50 = at(50)
        p90 = at(90)
        p99 = at(99)
        p999 = at(99.9)
        max = at(100)
    }
}

func decimal(_ value: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", value)
}

private func milliseconds(_ value: Double) -> String {
    decimal(value, 2) + " ms"
}
