package import NIOCore
import SynodBytes
package import SynodGRPC
import SynodNode

/// etcd's services on one event loop: passes the requests of its connections to the replica, and
/// the replica's answers back. Everything about it happens on that event loop.
package final class APIService: GRPCService {
    /// A request that the replica works on.
    private struct Pending {
        let connection: ServerConnection
        let call: CallID
        let response: ResponseKind
    }

    package let methods = APIMethod.table

    private let sink: any RequestSink
    private let sinkIndex: UInt32
    private let door: RequestDoor
    private let responses: ResponseMaker
    private var pending = Slab<Pending>()
    /// Requests of the present read, to be submitted together.
    private var batch: [ClientRequest] = []
    private var connections: [ObjectIdentifier: ServerConnection] = [:]
    private var isShuttingDown = false

    /// - Parameter sinkIndex: which answer sink of the replica delivers to this service.
    init(configuration: APIConfiguration, sink: any RequestSink, sinkIndex: UInt32) {
        self.sink = sink
        self.sinkIndex = sinkIndex
        door = RequestDoor(
            maxRequestBytes: configuration.maxRequestBytes, maxTxnOps: configuration.maxTxnOps)
        responses = ResponseMaker(configuration: configuration)
    }

    package func received(
        _ message: ByteBuffer, of call: CallID, method index: MethodIndex,
        on connection: ServerConnection
    ) {
        guard let method = APIMethod(rawValue: index.rawValue) else {
            preconditionFailure("The method table has one entry for each method.")
        }
        switch door.admit(message, method: method) {
        case .submit(let body, let response):
            submitLater(body, Pending(connection: connection, call: call, response: response))
        case .answer(let response): connection.reply(call, response)
        case .refuse(let status): connection.finish(call, status)
        }
    }

    package func readCompleted(on connection: ServerConnection) {
        submitBatch()
    }

    /// No method has more than one request message.
    package func halfClosed(
        _ call: CallID, method: MethodIndex, on connection: ServerConnection
    ) {}

    /// The replica still answers; the connection then drops the answer.
    package func cancelled(
        _ call: CallID, method: MethodIndex, on connection: ServerConnection
    ) {}

    /// Writes the replica's answers, with one flush for each connection that they go to.
    func deliver(_ batches: [[Answer]]) {
        var touched: [ServerConnection] = []
        for answers in batches {
            for answer in answers {
                let handle = SlabHandle(rawValue: answer.token.call)
                guard let request = pending.remove(handle) else { continue }
                if !request.connection.needsFlush { touched.append(request.connection) }
                answerCall(request, answer.content)
            }
        }
        submitBatch()
        for connection in touched { connection.flush() }
    }

    private func answerCall(_ request: Pending, _ content: Answer.Content) {
        let connection = request.connection
        switch (content, request.response) {
        case (.message(let response), .alarms(let kind)):
            connection.reply(request.call, responses.alarms(response, of: kind))
        case (.message(let response), _):
            connection.reply(request.call, response)
        case (.status(let status), _):
            connection.reply(request.call, responses.status(status))
        case (.members(let status, let profiles), _):
            connection.reply(request.call, responses.memberList(status, profiles))
        case (.failure(let failure), _):
            let code = StatusCode(rawValue: failure.code)
            connection.finish(request.call, Status(code, failure.message))
        }
    }

    private func submitLater(_ body: ClientRequest.Body, _ request: Pending) {
        let token = RequestToken(sink: sinkIndex, call: pending.insert(request).rawValue)
        batch.append(ClientRequest(token: token, body: body))
    }

    private func submitBatch() {
        guard !batch.isEmpty else { return }
        sink.submit(batch)
        batch.removeAll(keepingCapacity: true)
    }
}

// MARK: - Connections

extension APIService {
    /// Serves an accepted channel until it closes.
    func accept(_ channel: any Channel, limits: GRPCLimits) throws {
        guard !isShuttingDown, connections.count < APILimits.connectionsPerEventLoop else {
            channel.close(promise: nil)
            return
        }
        let connection = try ServerConnection.configure(channel, service: self, limits: limits)
        let id = ObjectIdentifier(connection)
        connections[id] = connection
        channel.closeFuture.assumeIsolated().whenComplete { _ in self.connections[id] = nil }
    }

    /// Takes no more calls. Connections close when their calls are finished, or when the time is
    /// over; the future completes when all are closed.
    func shutDown(within grace: TimeAmount, on eventLoop: any EventLoop) -> EventLoopFuture<Void> {
        isShuttingDown = true
        let open = Array(connections.values)
        let closed = EventLoopFuture.andAllComplete(open.map(\.closeFuture), on: eventLoop)
        let stopped = Status(.unavailable, "etcdserver: server stopped")
        for connection in open { connection.shutDown(refusingWith: stopped) }
        let timeout = eventLoop.assumeIsolated().scheduleTask(in: grace) {
            for connection in open { connection.close() }
        }
        closed.assumeIsolated().whenComplete { _ in timeout.cancel() }
        return closed
    }
}
