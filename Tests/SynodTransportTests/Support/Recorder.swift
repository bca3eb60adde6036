import NIOCore
import Synchronization
import SynodBytes
import SynodTransport

/// An owner that writes down what it is told and lets a test wait for it.
final class Recorder: PeerEvents {
    enum Event: Equatable {
        case hello(Bytes)
        case accepted(PeerID, reply: Bytes)
        case refused(PeerID, reason: String)
        case disconnected(PeerID, StreamDirection, reset: Bool)
        case received(PeerID, [Bytes])
    }

    /// How an owner answers a hello.
    enum Verdict {
        case accept(PeerID, reply: Bytes)
        case refuse(String)
        /// The test answers, or nobody does.
        case silence
    }

    private struct State {
        var events: [Event] = []
        /// When each event came: a waiting test may run much later.
        var times: [ContinuousClock.Instant] = []
        var waiters:
            [(id: Int, isDone: ([Event]) -> Bool, resume: CheckedContinuation<Bool, Never>)] = []
        var nextWaiter = 0
        var connections: [InboundConnection] = []
        var transport: PeerTransport?
    }

    private let state = Mutex(State())
    private let judge: @Sendable (Bytes) -> Verdict

    init(judge: @escaping @Sendable (Bytes) -> Verdict) {
        self.judge = judge
    }

    func attach(_ transport: PeerTransport?) {
        state.withLock { $0.transport = transport }
    }

    var events: [Event] { state.withLock { $0.events } }

    /// When the first such event came.
    func time(of event: Event) -> ContinuousClock.Instant? {
        state.withLock { state in state.events.firstIndex(of: event).map { state.times[$0] } }
    }

    /// Strangers that were answered with silence.
    var connections: [InboundConnection] { state.withLock { $0.connections } }

    func messages(from peer: PeerID) -> [Bytes] {
        events.flatMap { event -> [Bytes] in
            if case .received(peer, let messages) = event { messages } else { [] }
        }
    }

    /// Waits until what has been recorded satisfies the condition; false after ten seconds.
    func wait(for isDone: @escaping @Sendable ([Event]) -> Bool) async -> Bool {
        await withCheckedContinuation { continuation in
            let id = state.withLock { state -> Int? in
                if isDone(state.events) { return nil }
                state.nextWaiter += 1
                state.waiters.append((state.nextWaiter, isDone, continuation))
                return state.nextWaiter
            }
            guard let id else { return continuation.resume(returning: true) }
            Task {
                try await Task.sleep(for: .seconds(10))
                let waiter = state.withLock { state in
                    state.waiters.firstIndex { $0.id == id }.map { state.waiters.remove(at: $0) }
                }
                waiter?.resume.resume(returning: false)
            }
        }
    }

    func wait(for event: Event) async -> Bool {
        await wait { $0.contains(event) }
    }

    func waitForMessages(_ count: Int, from peer: PeerID) async -> Bool {
        await wait { [self] _ in received.withLock { $0[peer, default: 0] >= count } }
    }

    /// Kept apart so that waiting for many messages does not count them over and over.
    private let received = Mutex<[PeerID: Int]>([:])

    private func record(_ event: Event) {
        let ready = state.withLock { state in
            state.events.append(event)
            state.times.append(.now)
            let ready = state.waiters.filter { $0.isDone(state.events) }
            state.waiters.removeAll { waiter in ready.contains { $0.id == waiter.id } }
            return ready.map(\.resume)
        }
        for continuation in ready { continuation.resume(returning: true) }
    }

    // MARK: PeerEvents

    func helloReceived(_ payload: Bytes, on connection: InboundConnection) {
        let transport = state.withLock { $0.transport }
        switch judge(payload) {
        case .accept(let peer, let reply):
            transport?.accept(connection, as: peer, reply: reply)
        case .refuse(let reason):
            transport?.refuse(connection, reason: reason)
        case .silence:
            state.withLock { $0.connections.append(connection) }
        }
        record(.hello(payload))
    }

    func accepted(by peer: PeerID, reply: Bytes) {
        record(.accepted(peer, reply: reply))
    }

    func refused(by peer: PeerID, reason: String) {
        record(.refused(peer, reason: reason))
    }

    func disconnected(_ peer: PeerID, _ direction: StreamDirection, reset: Bool) {
        record(.disconnected(peer, direction, reset: reset))
    }

    func received(_ messages: [Bytes], from peer: PeerID) {
        received.withLock { $0[peer, default: 0] += messages.count }
        record(.received(peer, messages))
    }
}
