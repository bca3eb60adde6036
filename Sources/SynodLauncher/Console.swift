import Foundation

/// What is shown once the cluster runs: who is where, and what to try.
func introduction(
    _ plans: [ReplicaPlan], pids: [Int32], leader: Int, directory: String
) -> String {
    let header = ["name", "clients", "peers", "metrics", "pid", "role", "data", "log"]
    let rows = plans.indices.map { index in
        [
            plans[index].name, plans[index].clientEndpoint, plans[index].peerEndpoint,
            plans[index].metricsEndpoint ?? "-", "\(pids[index])",
            index == leader ? "leader" : "follower", plans[index].dataDirectory,
            plans[index].logFile,
        ]
    }
    let scrape = plans[leader].metricsEndpoint.map { "\n  curl http://\($0)/metrics" } ?? ""
    let endpoints = plans.map(\.clientEndpoint).joined(separator: ",")
    return """

        \(table([header] + rows))

        Try this in another terminal:
          export ENDPOINTS=\(endpoints)
          etcdctl --endpoints=$ENDPOINTS put greeting hello
          etcdctl --endpoints=$ENDPOINTS get greeting\(scrape)
          kill -9 \(pids[leader])    # the leader: another one takes over, and it comes back
        Control-C stops the cluster. Its data stay in \(directory).

        """
}

/// Rows of cells as lines with aligned columns.
func table(_ rows: [[String]]) -> String {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
        var line = zip(row, widths).map { cell, width in
            cell.padding(toLength: width, withPad: " ", startingAt: 0)
        }.joined(separator: "   ")
        while line.last == " " { line.removeLast() }
        return line
    }.joined(separator: "\n")
}

/// The end of what a log file holds from an offset on, indented.
func lastLines(of path: String, from offset: UInt64) -> String {
    let most: UInt64 = 4096
    guard let log = FileHandle(forReadingAtPath: path), let size = try? log.seekToEnd(),
        (try? log.seek(toOffset: max(offset, size > most ? size - most : 0))) != nil,
        let data = try? log.readToEnd(), !data.isEmpty
    else { return "  (nothing)" }
    return String(decoding: data, as: UTF8.self).split(separator: "\n").suffix(8)
        .map { "  \($0)" }.joined(separator: "\n")
}
