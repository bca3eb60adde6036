import Foundation

/// Finds in a replica's output what it says of the faults that it injects into itself.
struct FaultReports {
    /// As `synod serve` logs it.
    private static let mark = "injects a fault kind="
    /// A line longer than this is none of ours.
    private static let longestLine = 4096

    private var rest = Data()

    /// The kinds of the faults in the lines that the piece completes.
    mutating func kinds(in piece: Data) -> [String] {
        rest += piece
        guard let end = rest.lastIndex(of: UInt8(ascii: "\n")) else {
            if rest.count > Self.longestLine { rest = Data() }
            return []
        }
        let lines = String(decoding: rest[...end], as: UTF8.self)
        rest = Data(rest[(end + 1)...])
        return lines.split(separator: "\n").compactMap { line in
            guard let found = line.range(of: Self.mark) else { return nil }
            return String(line[found.upperBound...].prefix { $0 != " " })
        }
    }
}

/// How often each kind of fault was injected, in all replicas since the start.
struct FaultTally {
    private var counts: [String: Int] = [:]

    mutating func add(_ kind: String) { counts[kind, default: 0] += 1 }

    var text: String {
        let parts = counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        return "faults so far: " + (parts.isEmpty ? "none" : parts.joined(separator: ", "))
    }
}
