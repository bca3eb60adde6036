package import NIOCore
import NIOPosix
import SynodGRPC

/// Why one attempt of a call failed.
package struct CallFailure: Error {
    package let error: ClientError
    /// Whether the request may have reached a server, so that trying again could do it twice.
    package var mayHaveRun: Bool { error.mayHaveRun }
}

/// One endpoint seen from one event loop: connects when first needed and again after a loss.
///
/// All methods must be called on the event loop. This is what a load generator uses directly:
/// a call is a completion and no task, and calls begun in completions are sent together.
package final class EndpointLink {
    package typealias Completion = (Result<ByteBuffer, CallFailure>) -> Void

    private struct WaitingCall {
        let path: String
        let message: [UInt8]
        let deadline: NIODeadline
        let completion: Completion
    }

    private enum State {
        case idle
        /// Calls wait for the outcome of an attempt to connect.
        case connecting([WaitingCall])
        case connected(ClientConnection)
        case closed
    }

    /// Calls that may wait for a connection; more are refused.
    private static let maximumWaitingCalls = 65_536
    /// The pause after a failed attempt to connect.
    private static let pause = TimeAmount.milliseconds(50)

    private let endpoint: Endpoint
    private let eventLoop: any EventLoop
    private let configuration: ClientConfiguration
    private var state = State.idle
    private var earliestAttempt = NIODeadline.uptimeNanoseconds(0)

    package init(
        endpoint text: String, eventLoop: any EventLoop, configuration: ClientConfiguration
    ) throws(ClientError) {
        endpoint = try Endpoint(text)
        self.eventLoop = eventLoop
        self.configuration = configuration
    }

    /// Begins a unary call; `completion` is called exactly once, later, with the response's bytes.
    ///
    /// A call begun outside of a completion is sent with the next ``flush()``.
    package func unary(
        path: String, message: [UInt8], timeout: TimeAmount, completion: @escaping Completion
    ) {
        let call = WaitingCall(
            path: path, message: message, deadline: eventLoop.now + timeout, completion: completion)
        switch state {
        case .connected(let connection) where connection.isOpen:
            begin(call, on: connection)
        case .connecting(var waiting):
            guard waiting.count < Self.maximumWaitingCalls else {
                fail(call, .resourceExhausted, "too many calls wait for \(endpoint.authority)")
                return
            }
            state = .idle
            waiting.append(call)
            state = .connecting(waiting)
        case .idle, .connected:
            state = .connecting([call])
            connectWhenDue()
        case .closed:
            fail(call, .cancelled, "the client is closed")
        }
    }

    /// Sends the calls begun since the last flush.
    package func flush() {
        if case .connected(let connection) = state { connection.flush() }
    }

    /// Ends the connection; calls in flight fail.
    package func close() {
        let previous = state
        state = .closed
        switch previous {
        case .connected(let connection): connection.close()
        case .connecting(let waiting):
            for call in waiting { fail(call, .cancelled, "the client is closed") }
        case .idle, .closed: break
        }
    }

    private func connectWhenDue() {
        let isolated = eventLoop.assumeIsolated()
        if earliestAttempt <= eventLoop.now {
            connect()
        } else {
            isolated.scheduleTask(deadline: earliestAttempt) { self.connect() }
        }
    }

    private func connect() {
        guard case .connecting = state else { return }
        let timeout = TimeAmount.nanoseconds(configuration.connectTimeout.nanoseconds)
        var limits = GRPCLimits()
        limits.messageBytes = configuration.maximumResponseBytes
        let authority = endpoint.authority
        let link = NIOLoopBound(self, eventLoop: eventLoop)
        ClientBootstrap(group: eventLoop)
            .connectTimeout(timeout)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .connect(host: endpoint.host, port: endpoint.port)
            .hop(to: eventLoop)
            .assumeIsolated()
            .flatMapThrowing { channel in
                try ClientConnection.configure(channel, authority: authority, limits: limits) {
                    link.value.connectionBroke()
                }
            }
            .whenComplete { link.value.connectCompleted($0) }
    }

    private func connectCompleted(_ result: Result<ClientConnection, any Error>) {
        guard case .connecting(let waiting) = state else {
            if case .success(let connection) = result { connection.close() }
            return
        }
        switch result {
        case .success(let connection):
            state = .connected(connection)
            for call in waiting { begin(call, on: connection) }
            connection.flush()
        case .failure(let error):
            state = .idle
            earliestAttempt = eventLoop.now + Self.pause
            for call in waiting {
                fail(call, .unavailable, "cannot connect to \(endpoint.authority): \(error)")
            }
        }
    }

    private func connectionBroke() {
        if case .connected = state { state = .idle }
    }

    private func begin(_ call: WaitingCall, on connection: ClientConnection) {
        let timeout = call.deadline - eventLoop.now
        guard timeout > .zero else {
            fail(call, .deadlineExceeded, "context deadline exceeded")
            return
        }
        connection.unary(path: call.path, message: call.message, timeout: timeout) { result in
            call.completion(
                result.mapError { status in
                    CallFailure(
                        error: ClientError(
                            code: .init(rawValue: status.code.rawValue), message: status.message))
                })
        }
    }

    private func fail(_ call: WaitingCall, _ code: ClientError.Code, _ message: String) {
        let failure = CallFailure(
            error: ClientError(code: code, message: message, mayHaveRun: false))
        eventLoop.assumeIsolated().execute { call.completion(.failure(failure)) }
    }
}

extension Duration {
    /// Whole nanoseconds, saturating at 292 years.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, isTooLarge) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if isTooLarge { return seconds < 0 ? .min : .max }
        let (sum, overflows) = product.addingReportingOverflow(attoseconds / 1_000_000_000)
        return overflows ? (seconds < 0 ? .min : .max) : sum
    }
}
