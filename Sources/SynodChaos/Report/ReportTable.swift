import Foundation

extension [RunReport] {
    /// For people.
    package var table: String {
        let header = [
            "scenario", "members", "seconds", "ok", "refused", "unknown", "longest gap", "result",
        ]
        let rows = map { run in
            [
                run.scenario, "\(run.members)", String(format: "%.1f", run.seconds),
                "\(run.operations.succeeded)", "\(run.operations.refused)",
                "\(run.operations.unknown)",
                run.skipped == nil ? String(format: "%.0f ms", run.longestGapMilliseconds) : "-",
                run.result,
            ]
        }
        return aligned([header] + rows)
    }

    /// For programs.
    package var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        let data = (try? encoder.encode(self)) ?? Data()
        return String(decoding: data, as: UTF8.self)
    }
}

extension RunReport {
    fileprivate var result: String {
        if let skipped { return "skipped: \(skipped)" }
        if !violations.isEmpty { return "FAILED" }
        return wasStopped ? "stopped" : "passed"
    }
}

private func aligned(_ rows: [[String]]) -> String {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
        zip(row, widths).map { cell, width in
            cell.padding(toLength: Swift.max(width, cell.count), withPad: " ", startingAt: 0)
        }.joined(separator: "  ").trimmingCharacters(in: .whitespaces)
    }.joined(separator: "\n")
}
