package import NIOCore
import NIOHPACK
package import NIOHTTP2

/// The server's end of one gRPC connection: turns HTTP/2 frames into calls of a service and the
/// service's answers into frames. Everything about it happens on its event loop.
///
/// There is no channel, promise or task for a call; a call is an element of a slab. Nothing is sent
/// before ``flush()`` or the end of the present read, so that many answers cost one write.
package final class ServerConnection: ChannelDuplexHandler {
    package typealias InboundIn = HTTP2Frame
    package typealias OutboundIn = Never
    package typealias OutboundOut = HTTP2Frame

    let service: any GRPCService
    /// The service's methods, kept here because every request needs them.
    let methods: MethodTable
    let limits: GRPCLimits
    let eventLoop: any EventLoop
    /// Completes when the connection has ended.
    package let closeFuture: EventLoopFuture<Void>
    var context: ChannelHandlerContext?
    var calls = Slab<ServerCall>()
    var callIDs: [HTTP2StreamID: CallID] = [:]
    var timer: DeadlineTimer?
    /// Parts of messages received and not delivered, over all calls.
    var heldBytes = 0
    /// Messages written of calls that have not left completely.
    var queuedBytes = 0
    var received = ReceivedBytes()
    /// Whether something was written since the last ``flush()``.
    package internal(set) var needsFlush = false
    var isReading = false
    private var isReadWanted = false
    /// What new calls are refused with, once the connection is to end.
    private(set) var shutDownStatus: Status?
    var lastStreamID = HTTP2StreamID.rootStream
    private var prefaceTimeout: Scheduled<Void>?

    private init(service: any GRPCService, limits: GRPCLimits, channel: any Channel) {
        self.service = service
        methods = service.methods
        self.limits = limits
        eventLoop = channel.eventLoop
        closeFuture = channel.closeFuture
    }

    /// Sets up an accepted channel, on its event loop.
    @discardableResult
    package static func configure(
        _ channel: any Channel, service: any GRPCService, limits: GRPCLimits
    ) throws -> ServerConnection {
        let connection = ServerConnection(service: service, limits: limits, channel: channel)
        try HTTP2Pipeline.add(mode: .server, limits: limits, above: connection, to: channel)
        return connection
    }

    /// Sends what was answered outside of a read. Call it once after a batch of answers.
    package func flush() {
        guard needsFlush, !isReading, let context else { return }
        needsFlush = false
        context.flush()
    }

    /// Answers new calls with `status` from now on, and closes the connection when those in flight
    /// are finished.
    ///
    /// GOAWAY comes last: once it is sent, NIO takes a call that crosses it for an error of the whole
    /// connection, which would end the calls in flight.
    package func shutDown(refusingWith status: Status) {
        guard shutDownStatus == nil else { return }
        shutDownStatus = status
        closeIfDone()
    }

    /// Ends the connection and every call on it.
    package func close() {
        context?.close(promise: nil)
    }

    func write(
        _ payload: HTTP2Frame.FramePayload, on streamID: HTTP2StreamID,
        context: ChannelHandlerContext
    ) {
        needsFlush = true
        context.write(
            wrapOutboundOut(HTTP2Frame(streamID: streamID, payload: payload)), promise: nil)
    }

    private func closeIfDone() {
        guard shutDownStatus != nil, calls.count == 0, let context else { return }
        let goAway = HTTP2Frame.FramePayload.goAway(
            lastStreamID: lastStreamID, errorCode: .noError, opaqueData: nil)
        write(goAway, on: .rootStream, context: context)
        needsFlush = false
        context.flush()
        context.close(promise: nil)
    }

    private func streamClosed(_ streamID: HTTP2StreamID) {
        guard let id = callIDs.removeValue(forKey: streamID), let call = calls.remove(id) else {
            return
        }
        timer?.clear(slot: id.slot)
        heldBytes -= call.heldBytes
        queuedBytes -= call.queuedBytes
        switch call.phase {
        case .receiving, .halfClosed: service.cancelled(id, method: call.method, on: self)
        case .finished: break
        }
        closeIfDone()
    }

    private func expire(_ slots: [UInt32]) {
        for slot in slots {
            let id = calls.handle(at: slot)
            let method = calls[id].method
            finish(id, Status(.deadlineExceeded, "context deadline exceeded"))
            service.cancelled(id, method: method, on: self)
        }
        flush()
    }
}

// MARK: - What the channel tells

extension ServerConnection {
    package func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        timer = DeadlineTimer(eventLoop: eventLoop) { [weak self] slots in self?.expire(slots) }
        if context.channel.isActive { start(context: context) }
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        timer?.stop()
        prefaceTimeout?.cancel()
        self.context = nil
    }

    package func channelActive(context: ChannelHandlerContext) {
        start(context: context)
        context.fireChannelActive()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        prefaceTimeout?.cancel()
        for id in calls.handles { streamClosed(calls[id].streamID) }
        context.fireChannelInactive()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A stream's error was answered with RST_STREAM; any other is the end of the connection,
        // and HTTP/2 has said GOAWAY.
        if error is NIOHTTP2Errors.StreamError { return }
        context.close(promise: nil)
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        isReading = true
        if let timeout = prefaceTimeout {
            timeout.cancel()
            prefaceTimeout = nil
        }
        let frame = unwrapInboundIn(data)
        switch frame.payload {
        case .headers(let headers):
            received(headers, on: frame.streamID, context: context)
        case .data(let data):
            received(data, on: frame.streamID, context: context)
        case .rstStream, .goAway, .settings, .ping, .windowUpdate, .priority, .pushPromise,
            .alternativeService, .origin:
            break
        }
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        service.readCompleted(on: self)
        flush()
        context.fireChannelReadComplete()
    }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // Most events tell of windows; comparing types is much cheaper than a failed cast.
        if type(of: event) == StreamClosedEvent.self, let closed = event as? StreamClosedEvent {
            streamClosed(closed.streamID)
        }
    }

    /// While the client does not take our answers we do not read its requests.
    package func read(context: ChannelHandlerContext) {
        if context.channel.isWritable { context.read() } else { isReadWanted = true }
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable, isReadWanted {
            isReadWanted = false
            context.read()
        }
        context.fireChannelWritabilityChanged()
    }

    private func start(context: ChannelHandlerContext) {
        prefaceTimeout = eventLoop.assumeIsolated().scheduleTask(
            in: .seconds(limits.prefaceSeconds)
        ) { [weak self] in
            self?.context?.close(promise: nil)
        }
        let initialWindow = 65_535
        let increment = limits.connectionWindowBytes - initialWindow
        guard increment > 0 else { return }
        write(.windowUpdate(windowSizeIncrement: increment), on: .rootStream, context: context)
        flush()
    }
}
