import Synchronization

/// Something that happens once, and tasks that wait for it for as long as they like.
final class Gate<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var waiters: [AsyncStream<Value?>.Continuation] = []
    }

    private let state = Mutex(State())

    /// The value, if it has happened.
    var value: Value? { state.withLock { $0.value } }

    /// It has happened; later calls change nothing.
    func open(_ value: Value) {
        let waiters = state.withLock { state in
            guard state.value == nil else { return [AsyncStream<Value?>.Continuation]() }
            state.value = value
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.yield(value) }
    }

    /// Nil when it has not happened in time, or when the task was cancelled.
    func wait(within limit: Duration) async -> Value? {
        let (stream, continuation) = AsyncStream.makeStream(of: Value?.self)
        let present = state.withLock { state in
            if state.value == nil { state.waiters.append(continuation) }
            return state.value
        }
        if let present { return present }
        let timer = Task {
            try await Task.sleep(for: limit)
            continuation.yield(nil)
        }
        defer { timer.cancel() }
        for await value in stream { return value }
        return nil
    }
}
