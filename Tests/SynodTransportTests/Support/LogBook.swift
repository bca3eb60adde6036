import Logging
import Synchronization

/// Keeps the lines that were logged.
final class LogBook: LogHandler, Sendable {
    private let kept = Mutex<[String]>([])

    var lines: [String] { kept.withLock { $0 } }

    func mentions(_ text: String) -> Bool {
        lines.contains { $0.contains(text) }
    }

    func log(event: LogEvent) {
        kept.withLock { $0.append("\(event.message)") }
    }

    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }
    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }
    subscript(metadataKey _: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }
}
