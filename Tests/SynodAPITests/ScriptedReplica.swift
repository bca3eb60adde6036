import Synchronization
import SynodBytes
import SynodNode

/// A replica that answers as a test tells it to, from whatever thread submits.
final class ScriptedReplica: RequestSink {
    private struct State {
        var sinks: [any AnswerSink] = []
        var bodies: [ClientRequest.Body] = []
        var held: [ClientRequest] = []
    }

    private let state = Mutex(State())
    /// Nil: the request is held until ``answerHeld(_:)``.
    private let answer: @Sendable (ClientRequest.Body) -> Answer.Content?

    init(answer: @escaping @Sendable (ClientRequest.Body) -> Answer.Content?) {
        self.answer = answer
    }

    /// What was submitted so far.
    var bodies: [ClientRequest.Body] { state.withLock { $0.bodies } }

    func use(_ sinks: [any AnswerSink]) {
        state.withLock { $0.sinks = sinks }
    }

    func submit(_ requests: [ClientRequest]) {
        for request in requests {
            state.withLock { $0.bodies.append(request.body) }
            if let content = answer(request.body) {
                deliver(content, to: request)
            } else {
                state.withLock { $0.held.append(request) }
            }
        }
    }

    func answerHeld(_ content: Answer.Content) {
        let held = state.withLock { state in
            defer { state.held = [] }
            return state.held
        }
        for request in held { deliver(content, to: request) }
    }

    private func deliver(_ content: Answer.Content, to request: ClientRequest) {
        let sink = state.withLock { $0.sinks[Int(request.token.sink)] }
        sink.deliver([Answer(token: request.token, content: content)])
    }
}
