import Foundation
import Logging
import SynodServer

/// Writes each message as one line to the standard error output, for people or as JSON.
struct ServerLog: LogHandler {
    let label: String
    let format: ServerConfiguration.LogFormat
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { _, new in new }
            .sorted { $0.key < $1.key }.map { ($0.key, $0.value.description) }
        let level = Self.names[event.level] ?? event.level.rawValue
        let message = event.message.description
        var line: String
        switch format {
        case .text:
            line = "\(Self.now()) \(level) \(message)"
            for (key, value) in fields { line += " \(key)=\(Self.quotedIfNeeded(value))" }
        case .json:
            let pairs = [("level", level), ("ts", Self.now()), ("msg", message)] + fields
            line = pairs.map { "\(Self.quoted($0)):\(Self.quoted($1))" }.joined(separator: ",")
            line = "{\(line)}"
        }
        // One write, so that the lines of several threads stay whole.
        try? FileHandle.standardError.write(contentsOf: Data((line + "\n").utf8))
    }

    /// etcd's names, which tools that read its logs know.
    private static let names: [Logger.Level: String] = [
        .notice: "info", .warning: "warn", .critical: "fatal",
    ]

    private static func now() -> String {
        Date.now.formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true))
            + "Z"
    }

    private static func quotedIfNeeded(_ text: String) -> String {
        let isPlain = !text.isEmpty && text.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != 34 }
        return isPlain ? text : quoted(text)
    }

    /// As JSON quotes a string.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\0"..<" ":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
