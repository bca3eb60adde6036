import Foundation
import Synchronization

/// Notices when this process, and most likely the whole machine, stood still: what was measured
/// then says nothing about the cluster.
final class StallWatch: Sendable {
    private static let interval = 0.05

    private struct State {
        var longest = 0.0
        var isStopped = false
    }

    private let state = Mutex(State())

    /// Begins to watch, on a thread of its own.
    init() {
        Thread.detachNewThread { [self] in
            let clock = ContinuousClock()
            while !state.withLock({ $0.isStopped }) {
                let start = clock.now
                Thread.sleep(forTimeInterval: Self.interval)
                let (seconds, attoseconds) = (clock.now - start).components
                let late = Double(seconds) + Double(attoseconds) / 1e18 - Self.interval
                state.withLock { $0.longest = max($0.longest, late) }
            }
        }
    }

    /// The longest standstill so far, in seconds.
    var longest: Double { state.withLock { $0.longest } }

    func stop() { state.withLock { $0.isStopped = true } }
}
