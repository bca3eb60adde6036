package import NIOCore
import NIOHPACK
package import NIOHTTP2

/// The client's end of one gRPC connection: unary calls with a completion, as many at once as the
/// peer allows. Everything about it happens on its event loop.
package final class ClientConnection: ChannelDuplexHandler {
    package typealias InboundIn = HTTP2Frame
    package typealias OutboundIn = Never
    package typealias OutboundOut = HTTP2Frame

    /// What a call ends with: the response message, or why there is none.
    package typealias Completion = (Result<ByteBuffer, Status>) -> Void

    private struct Call {
        let completion: Completion
        let streamID: HTTP2StreamID
        var assembler = MessageAssembler()
        var message: ByteBuffer?
        var received = ReceivedBytes()
    }

    private let limits: GRPCLimits
    private let authority: String
    private let isBroken: () -> Void
    private let eventLoop: any EventLoop
    private var context: ChannelHandlerContext?
    private var timer: DeadlineTimer?
    private var calls = Slab<Call>()
    private var handles: [HTTP2StreamID: SlabHandle] = [:]
    private var headers: [String: HPACKHeaders] = [:]
    private var nextStreamID = HTTP2StreamID(1)
    private var received = ReceivedBytes()
    private var needsFlush = false
    private var isReading = false

    /// Whether new calls may be made: false once the peer says it goes away or the connection ends.
    package private(set) var isOpen = true

    private init(
        eventLoop: any EventLoop, limits: GRPCLimits, authority: String,
        isBroken: @escaping () -> Void
    ) {
        self.eventLoop = eventLoop
        self.limits = limits
        self.authority = authority
        self.isBroken = isBroken
    }

    /// Sets up a fresh channel, on its event loop.
    ///
    /// - Parameter isBroken: called once, when no further calls can be made on the connection.
    package static func configure(
        _ channel: any Channel, authority: String, limits: GRPCLimits = GRPCLimits(),
        isBroken: @escaping () -> Void
    ) throws -> ClientConnection {
        let connection = ClientConnection(
            eventLoop: channel.eventLoop, limits: limits, authority: authority,
            isBroken: isBroken)
        try ClientPipeline.add(connection, limits: limits, to: channel)
        return connection
    }

    /// Begins a call. It is sent at the end of the present read, or with the next ``flush()``.
    ///
    /// - Parameters:
    ///   - path: The method, as `/package.Service/Method`.
    ///   - completion: Called exactly once, never before this method returns.
    package func unary(
        path: String, message: [UInt8], timeout: TimeAmount, completion: @escaping Completion
    ) {
        guard isOpen, let context, let timer, nextStreamID < HTTP2StreamID(Int32.max - 2) else {
            let failure = Status(.unavailable, "the connection is closed")
            eventLoop.assumeIsolated().execute { completion(.failure(failure)) }
            return
        }
        let streamID = nextStreamID
        nextStreamID = nextStreamID.advanced(by: 2)
        let handle = calls.insert(Call(completion: completion, streamID: streamID))
        handles[streamID] = handle
        timer.set(after: timeout, slot: handle.slot)

        var requestHeaders = commonHeaders(path: path)
        requestHeaders.add(name: "grpc-timeout", value: TimeoutHeader.format(timeout))
        write(.headers(.init(headers: requestHeaders)), on: streamID, context: context)
        var body = context.channel.allocator.buffer(
            capacity: message.count + MessageAssembler.prefixBytes)
        body.writeGRPCMessage(message)
        write(
            .data(.init(data: .byteBuffer(body), endStream: true)), on: streamID, context: context)
    }

    /// Sends what was begun outside of a read.
    package func flush() {
        guard needsFlush, !isReading, let context else { return }
        needsFlush = false
        context.flush()
    }

    /// Ends the connection; calls in flight fail.
    package func close() {
        context?.close(promise: nil)
    }

    private func commonHeaders(path: String) -> HPACKHeaders {
        if let known = headers[path] { return known }
        let made = HPACKHeaders([
            (":method", "POST"), (":scheme", "http"), (":path", path), (":authority", authority),
            ("content-type", "application/grpc"), ("te", "trailers"),
        ])
        headers[path] = made
        return made
    }

    private func write(
        _ payload: HTTP2Frame.FramePayload, on streamID: HTTP2StreamID,
        context: ChannelHandlerContext
    ) {
        needsFlush = true
        context.write(
            wrapOutboundOut(HTTP2Frame(streamID: streamID, payload: payload)), promise: nil)
    }
}

// MARK: - What comes in

extension ClientConnection {
    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        timer = DeadlineTimer(eventLoop: eventLoop) { [weak self] slots in self?.expire(slots) }
        if context.channel.isActive { widenConnectionWindow(context: context) }
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        timer?.stop()
        self.context = nil
    }

    package func channelActive(context: ChannelHandlerContext) {
        widenConnectionWindow(context: context)
        context.fireChannelActive()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        stopTakingCalls()
        for handle in calls.handles {
            complete(handle, .failure(Status(.unavailable, "the connection was lost")))
        }
        context.fireChannelInactive()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is NIOHTTP2Errors.StreamError { return }
        context.close(promise: nil)
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isReading = true
        let frame = unwrapInboundIn(data)
        switch frame.payload {
        case .headers(let headers):
            received(headers, on: frame.streamID)
        case .data(let data):
            received(data, on: frame.streamID, context: context)
        case .goAway:
            stopTakingCalls()
            if calls.count == 0 { context.close(promise: nil) }
        case .rstStream, .settings, .ping, .windowUpdate, .priority, .pushPromise,
            .alternativeService, .origin:
            break
        }
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        flush()
        context.fireChannelReadComplete()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // Most events tell of windows; comparing types is much cheaper than a failed cast.
        guard type(of: event) == StreamClosedEvent.self, let closed = event as? StreamClosedEvent,
            let handle = handles[closed.streamID]
        else {
            return
        }
        let reason = closed.reason.map { "\($0)" } ?? "no status"
        complete(
            handle, .failure(Status(.unavailable, "the server ended the call with \(reason)")))
    }

    private func received(_ headers: HTTP2Frame.FramePayload.Headers, on streamID: HTTP2StreamID) {
        guard headers.endStream, let handle = handles[streamID] else { return }
        var code: StatusCode?
        var message = ""
        for (name, value, _) in headers.headers {
            if name == "grpc-status" { code = UInt8(value).map(StatusCode.init(rawValue:)) }
            if name == "grpc-message" { message = PercentEncoding.decode(value) }
        }
        guard let code else {
            let status = headers.headers.first(name: ":status") ?? "no status"
            complete(
                handle, .failure(Status(.unknown, "the server does not speak gRPC: \(status)")))
            return
        }
        if code == .ok, let answer = calls[handle].message {
            complete(handle, .success(answer))
        } else if code == .ok {
            complete(handle, .failure(Status(.internal, "the answer holds no message")))
        } else {
            complete(handle, .failure(Status(code, message)))
        }
    }

    private func received(
        _ data: HTTP2Frame.FramePayload.Data, on streamID: HTTP2StreamID,
        context: ChannelHandlerContext
    ) {
        guard case .byteBuffer(let bytes) = data.data else { return }
        if let size = received.add(bytes.readableBytes, window: limits.connectionWindowBytes) {
            write(.windowUpdate(windowSizeIncrement: size), on: .rootStream, context: context)
        }
        guard let handle = handles[streamID] else { return }
        if !data.endStream,
            let size = calls[handle].received.add(
                bytes.readableBytes, window: limits.streamWindowBytes)
        {
            write(.windowUpdate(windowSizeIncrement: size), on: streamID, context: context)
        }
        calls[handle].assembler.append(bytes)
        switch calls[handle].assembler.next(limit: limits.messageBytes) {
        case .incomplete:
            calls[handle].assembler.ownHeldBytes()
        case .message(let message):
            calls[handle].message = message
        case .refused(let status):
            abandon(handle, status)
        }
    }

    /// Ends a call that the server has not ended.
    private func abandon(_ handle: SlabHandle, _ status: Status) {
        let streamID = calls[handle].streamID
        complete(handle, .failure(status))
        guard let context else { return }
        write(.rstStream(.cancel), on: streamID, context: context)
    }

    private func complete(_ handle: SlabHandle, _ result: Result<ByteBuffer, Status>) {
        guard let call = calls.remove(handle) else { return }
        handles[call.streamID] = nil
        timer?.clear(slot: handle.slot)
        call.completion(result)
        if !isOpen, calls.count == 0 { context?.close(promise: nil) }
    }

    private func expire(_ slots: [UInt32]) {
        for slot in slots {
            abandon(
                calls.handle(at: slot), Status(.deadlineExceeded, "context deadline exceeded"))
        }
        flush()
    }

    private func stopTakingCalls() {
        guard isOpen else { return }
        isOpen = false
        isBroken()
    }

    private func widenConnectionWindow(context: ChannelHandlerContext) {
        let increment = limits.connectionWindowBytes - FlowControl.defaultWindow
        if increment > 0 {
            write(.windowUpdate(windowSizeIncrement: increment), on: .rootStream, context: context)
            flush()
        }
    }
}
