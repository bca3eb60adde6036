import Synchronization
import SynodCheck

/// Takes down what every client saw, on one clock, and tells those who wait how it goes.
final class Recorder: Sendable {
    private struct State {
        var operations: [Operation] = []
        var nextClient = 0
        var successes = 0
        var waiters: [(threshold: Int, gate: Gate<Void>)] = []
    }

    private let start = ContinuousClock.now
    private let state = Mutex(State())

    /// Nanoseconds on the history's clock.
    var now: UInt64 {
        let (seconds, attoseconds) = (ContinuousClock.now - start).components
        return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }

    var history: History { state.withLock { History(operations: $0.operations) } }

    /// A number that no client has had. A client whose operation has an unknown outcome goes on
    /// under another, since that operation may still be under way.
    func newClient() -> Int {
        state.withLock { state in
            defer { state.nextClient += 1 }
            return state.nextClient
        }
    }

    func record(_ operation: Operation) {
        let reached = state.withLock { state in
            state.operations.append(operation)
            guard operation.response != nil, !operation.request.isSerializable else {
                return [Gate<Void>]()
            }
            state.successes += 1
            let count = state.successes
            let reached = state.waiters.filter { $0.threshold <= count }.map(\.gate)
            state.waiters.removeAll { $0.threshold <= count }
            return reached
        }
        for gate in reached { gate.open(()) }
    }

    /// Waits until so many more operations have succeeded; false when they have not in time.
    func waitForProgress(_ operations: Int, within limit: Duration) async -> Bool {
        let gate = Gate<Void>()
        state.withLock { $0.waiters.append(($0.successes + operations, gate)) }
        return await gate.wait(within: limit) != nil
    }
}
