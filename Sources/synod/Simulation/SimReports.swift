import Foundation
import SynodPaxos
import SynodSimulation

extension Failure {
    private var className: String {
        switch kind {
        case .crash: "crash"
        case .liveness: "liveness"
        case .safety: "safety"
        case .interruption: "interrupted"
        }
    }

    /// What to paste, and why.
    func line(_ options: RunOptions) -> String {
        "\(className) \(kind.rawValue): \(options.command)   # \(invariant): \(message)"
    }
}

extension Report {
    var text: String {
        var table = Table()
        table.add("seed", "\(options.seed)")
        table.add("profile", options.profile.rawValue)
        table.add("replicas", "\(replicas)")
        table.add("proposers", proposersText)
        table.add("virtual time", SimText.seconds(virtualTime))
        table.add("events", "\(events)")
        table.add("decisions", "\(decisions)")
        table.add("requests", "\(answered) answered, \(refused) refused, \(unknown) unknown")
        table.add("worst latency", SimText.seconds(worstLatency))
        table.add("rest after healing", SimText.seconds(settling))
        table.add("faults", faults.text)
        table.add(figures)
        table.add("digest", String(digest, radix: 16))
        return table.text + (failure.map { "\n" + $0.line(options) } ?? "")
    }

    var json: String {
        var object: [String: Any] = [
            "seed": options.seed, "profile": options.profile.rawValue, "replicas": replicas,
            "proposers": proposers.map(\.rawValue),
            "virtualNanoseconds": virtualTime.nanoseconds, "events": events,
            "decisions": decisions, "answered": answered, "refused": refused,
            "unknown": unknown, "worstLatencyNanoseconds": worstLatency.nanoseconds,
            "settlingNanoseconds": settling.nanoseconds, "digest": String(digest, radix: 16),
            "faults": faults.object, "command": options.command,
            "figures": figures.object,
        ]
        if let failure {
            object["failure"] = [
                "class": failure.kind.rawValue, "invariant": failure.invariant,
                "message": failure.message,
            ]
        }
        return encoded(object)
    }

    /// One word where all have the same policy.
    private var proposersText: String {
        let names = proposers.map(\.rawValue)
        guard Set(names).count > 1 else { return names.first ?? "" }
        return names.enumerated().map { "r\($0 + 1) \($1)" }.joined(separator: ", ")
    }

    /// The invariant that a run broke, from its report; nil if it broke none, or made no report.
    static func invariant(inJSON report: Data) -> String? {
        let object = try? JSONSerialization.jsonObject(with: report) as? [String: Any]
        return (object?["failure"] as? [String: Any])?["invariant"] as? String
    }
}

extension [Figure] {
    fileprivate var object: [String: Any] {
        let measured = filter { !$0.results.isEmpty }
        return Dictionary(uniqueKeysWithValues: measured.map { ($0.name, $0.object) })
    }
}

extension Figure {
    /// By statistic; times are in nanoseconds, and the key says so.
    fileprivate var object: [String: Any] {
        var object: [String: Any] = [:]
        for result in results {
            let name = result.statistic.rawValue
            switch unit {
            case .count: object[name] = UInt64(result.value)
            case .ratio: object[name] = result.value
            case .nanoseconds: object[name + "Nanoseconds"] = UInt64(result.value)
            }
            if let seed = result.seed { object[name + "Seed"] = seed }
        }
        return object
    }
}

extension Table {
    fileprivate mutating func add(_ figures: [Figure]) {
        for figure in figures {
            if let text = figure.text { add(figure.name, text) }
        }
    }
}

extension SweepTotals {
    /// - Parameter doneSeeds: those that were run, if that are not all.
    func table(seconds elapsed: Double, interruptedAfter doneSeeds: String?) -> String {
        let virtual = Double(virtualNanoseconds) / 1e9
        var table = Table()
        if let doneSeeds { table.add("interrupted", "only these seeds are done: \(doneSeeds)") }
        table.add("seeds", "\(seeds), \(Int(Double(seeds) / elapsed * 3600)) an hour")
        table.add(
            "virtual time",
            String(
                format: virtual < 10 * elapsed
                    ? "%.0f s, %.1f times as fast as real" : "%.0f s, %.0f times as fast as real",
                virtual, virtual / elapsed))
        table.add("events", "\(events)")
        table.add("decisions", "\(decisions)")
        table.add("requests", "\(answered) answered, \(refused) refused, \(unknown) unknown")
        table.add("faults", faults.text)
        if !unfired.isEmpty {
            table.add("never fired", unfired.map(\.rawValue).joined(separator: ", "))
        }
        table.add(
            "worst latencies",
            worst.map { "\(SimText.seconds($0.latency)) (seed \($0.seed))" }
                .joined(separator: ", "))
        if let (seed, span) = longestSettling {
            table.add("longest to rest", "\(SimText.seconds(span)) (seed \(seed))")
        }
        table.add(figures)
        table.add("failed", "\(failures.count)")
        let lines = failures.compactMap { report in report.failure?.line(report.options) }
        return ([table.text] + lines).joined(separator: "\n")
    }

    func json(seconds elapsed: Double, interruptedAfter doneSeeds: String?) -> String {
        var object: [String: Any] = [
            "seeds": seeds, "virtualNanoseconds": virtualNanoseconds, "seconds": elapsed,
            "events": events, "decisions": decisions, "answered": answered, "refused": refused,
            "unknown": unknown, "faults": faults.object,
            "faultsNeverFired": unfired.map(\.rawValue),
            "worstLatencies": worst.map {
                ["seed": $0.seed, "nanoseconds": $0.latency.nanoseconds]
            },
            "longestSettling": longestSettling.map {
                ["seed": $0.seed, "nanoseconds": $0.span.nanoseconds]
            } ?? [:],
            "figures": figures.object,
            "failures": failures.compactMap { report in report.failure?.line(report.options) },
            "commands": failures.map(\.options.command),
        ]
        if let doneSeeds { object["interruptedAfterSeeds"] = doneSeeds }
        return encoded(object)
    }
}

/// Texts that several reports share.
enum SimText {
    static func seconds(_ span: Interval) -> String {
        String(format: "%.3f s", Double(span.nanoseconds) / 1e9)
    }
}

private func encoded(_ object: [String: Any]) -> String {
    let data = try? JSONSerialization.data(
        withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
    return String(decoding: data ?? Data(), as: UTF8.self)
}

extension FaultTally {
    var text: String {
        fired.isEmpty
            ? "none" : fired.map { "\($0.id.rawValue) \($0.count)" }.joined(separator: ", ")
    }

    var object: [String: UInt64] {
        Dictionary(uniqueKeysWithValues: fired.map { ($0.id.rawValue, $0.count) })
    }
}
