import Foundation
import Synchronization
import SynodSimulation

/// Many seeds, several at the same time, with a line of progress and a table at the end.
final class SimSweep: Sendable {
    private let options: RunOptions
    private let seeds: ClosedRange<UInt64>
    private let jobs: Int
    private let state: Mutex<State>

    private struct State {
        var next: UInt64?
        var totals = SweepTotals()
        var shownAt = Date.distantPast
    }

    init(_ options: RunOptions, seeds: ClosedRange<UInt64>, jobs: Int) {
        self.options = options
        self.seeds = seeds
        // More than that gain nothing, and each costs a thread's worth of memory.
        let useful = min(jobs, ProcessInfo.processInfo.activeProcessorCount)
        self.jobs = Int(min(UInt64(useful - 1), seeds.upperBound - seeds.lowerBound)) + 1
        state = Mutex(State(next: seeds.lowerBound))
    }

    /// Returns the exit code: of the gravest failure, or of an interruption, which lets the runs
    /// under way come to their end.
    func run(asJSON: Bool) async -> Int32 {
        let start = Date()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<jobs {
                group.addTask { [self] in
                    while let seed = take() { runSeed(seed, start) }
                }
            }
        }
        let (totals, next) = state.withLock { ($0.totals, $0.next) }
        clearProgress()
        let elapsed = Date().timeIntervalSince(start)
        let doneSeeds = next.map {
            $0 == seeds.lowerBound ? "none" : "\(seeds.lowerBound)..\($0 - 1)"
        }
        print(
            asJSON
                ? totals.json(seconds: elapsed, interruptedAfter: doneSeeds)
                : totals.table(seconds: elapsed, interruptedAfter: doneSeeds))
        guard doneSeeds == nil else { return Interruption.exitCode }
        return totals.failures.compactMap { $0.failure?.kind.rawValue }.max() ?? 0
    }

    private func take() -> UInt64? {
        state.withLock { state in
            guard !Interruption.hasCome, let seed = state.next else { return nil }
            state.next = seed < seeds.upperBound ? seed + 1 : nil
            return seed
        }
    }

    private func runSeed(_ seed: UInt64, _ start: Date) {
        var options = options
        options.seed = seed
        CrashLine.begin(options.command)
        let report = Simulation(options).execute()
        state.withLock { state in
            state.totals.add(report)
            if let failure = report.failure {
                clearProgress()
                Console.tell(failure.line(options) + "\n")
            }
            progress(&state, start)
        }
    }

    private func progress(_ state: inout State, _ start: Date) {
        guard hasTerminal, Date().timeIntervalSince(state.shownAt) > 0.5 else {
            return
        }
        state.shownAt = Date()
        // All numbers are one more than the largest.
        let count = Double(seeds.upperBound - seeds.lowerBound) + 1
        let done = state.totals.seeds
        let width = 30
        let filled = Int(Double(done) / count * Double(width))
        let bar =
            String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
        let rate = Double(done) / max(0.001, Date().timeIntervalSince(start))
        Console.tell(
            "\r\(bar) \(done) of \(String(format: "%.0f", count)) seeds, \(Int(rate * 3600)) an hour, "
                + "\(state.totals.failures.count) failed ")
    }

    private var hasTerminal: Bool { isatty(STDERR_FILENO) != 0 }

    private func clearProgress() {
        if hasTerminal { Console.tell("\r\u{1b}[K") }
    }
}
