import Foundation
import Synchronization

/// Tells on standard error how a run goes: on a terminal in one line that is written over, else
/// in a new line every few seconds.
struct ProgressLine {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let label: String
    private let progress: Progress
    private let start = ContinuousClock.now
    private var last = ContinuousClock.now
    private var lastCount = 0

    init(_ label: String, _ progress: Progress) {
        self.label = label
        self.progress = progress
    }

    /// Repeats until the task is cancelled.
    mutating func run() async {
        let pause = isTerminal ? Duration.milliseconds(500) : .seconds(5)
        while (try? await Task.sleep(for: pause)) != nil { show() }
        if isTerminal { write("\r\u{1b}[K") }
    }

    private mutating func show() {
        let now = ContinuousClock.now
        let count = progress.succeeded.load(ordering: .relaxed)
        let failed = progress.failed.load(ordering: .relaxed)
        let perSecond = Double(count - lastCount) / ((now - last) / .seconds(1))
        var line = "\(label): \(decimal((now - start) / .seconds(1), 1)) s, \(count) operations"
        line += ", \(decimal(perSecond, 0))/s"
        if failed > 0 { line += ", \(failed) failed" }
        write(isTerminal ? "\r\u{1b}[K\(line)" : line + "\n")
        (last, lastCount) = (now, count)
    }

    private func write(_ text: String) {
        // It is of no account whether anybody reads it.
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }
}
