package import NIOCore

/// The server's end of one gRPC connection: turns a client's bytes into calls of a service and the
/// service's answers into bytes. Everything about it happens on its event loop.
///
/// It speaks HTTP/2 itself, with nothing between it and the socket, because a handler for frames
/// below it costs more than everything else that is done here for a request. There is no channel,
/// promise or task for a call; a call is an element of a slab. Nothing is sent before ``flush()``
/// or the end of the present read, so that many answers cost one write, unless there is so much
/// that the socket can be kept busy meanwhile.
package final class ServerConnection: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias OutboundIn = Never
    package typealias OutboundOut = ByteBuffer

    let service: any GRPCService
    /// The service's methods, kept here because every request needs them.
    let methods: MethodTable
    let limits: GRPCLimits
    let eventLoop: any EventLoop
    /// Completes when the connection has ended.
    package let closeFuture: EventLoopFuture<Void>
    private(set) var context: ChannelHandlerContext?
    var timer: DeadlineTimer?
    private var prefaceTimeout: Scheduled<Void>?

    var calls = Slab<ServerCall>()
    var callIDs: [StreamID: CallID] = [:]
    /// The last stream that the client began.
    var lastStreamID = StreamID.connection
    /// What new calls are refused with, once the connection is to end.
    private(set) var shutDownStatus: Status?
    /// Whether GOAWAY was sent, or the channel is closed: nothing more is read or written.
    private(set) var hasEnded = false

    // What comes in.
    var reader = FrameReader()
    var decoder: HeaderDecoder
    /// A header block of which CONTINUATION is to come.
    var openBlock: HeaderBlock?
    var hasSettings = false
    var received = ReceivedBytes()
    /// Parts of messages received and not delivered, over all calls.
    var heldBytes = 0
    var recentResets = RecentResets()
    var nuisances: Nuisances
    private var isReading = false
    private var isReadWanted = false

    // What goes out.
    private var hasIntroduced = false
    var output = OutputBuffer()
    var encoder = AnswerEncoder()
    var flow = FlowControl()
    /// Calls with queued messages that wait for the socket or the connection's window.
    var sending = RoundRobin()
    /// Calls with queued messages that wait for their own window.
    var waiting = RoundRobin()
    /// Messages in the queues of all calls.
    var queuedBytes = 0
    /// Whether the socket takes more.
    var isWritable = true
    var isPumping = false

    private init(service: any GRPCService, limits: GRPCLimits, channel: any Channel) {
        self.service = service
        methods = service.methods
        self.limits = limits
        eventLoop = channel.eventLoop
        closeFuture = channel.closeFuture
        decoder = HeaderDecoder(methods: service.methods, listLimit: limits.headerListBytes)
        nuisances = Nuisances(
            perSecond: limits.nuisanceFramesPerSecond, streamErrors: limits.streamErrors)
    }

    /// Sets up an accepted channel, on its event loop.
    @discardableResult
    package static func configure(
        _ channel: any Channel, service: any GRPCService, limits: GRPCLimits
    ) throws -> ServerConnection {
        let connection = ServerConnection(service: service, limits: limits, channel: channel)
        try channel.pipeline.syncOperations.addHandler(connection)
        return connection
    }

    /// Whether something was written since the last ``flush()``.
    package var needsFlush: Bool { output.count > 0 }

    /// Sends what was answered outside of a read. Call it once after a batch of answers.
    package func flush() {
        guard !isReading else { return }
        pump()
        writeOut()
    }

    /// Answers new calls with `status` from now on, and closes the connection when those in flight
    /// are finished.
    ///
    /// GOAWAY comes last, so that a call that crosses it gets a status which says why, and not just
    /// the end of its stream.
    package func shutDown(refusingWith status: Status) {
        guard shutDownStatus == nil else { return }
        shutDownStatus = status
        closeIfDone()
    }

    /// Ends the connection and every call on it.
    package func close() {
        context?.close(promise: nil)
    }

    /// Hands what is written to the socket.
    func writeOut() {
        guard output.count > 0, let context else { return }
        context.writeAndFlush(wrapOutboundOut(output.take()), promise: nil)
    }

    func closeIfDone() {
        guard shutDownStatus != nil, calls.count == 0, !hasEnded, let context else { return }
        introduce()
        hasEnded = true
        output.writable.writeGoAway(lastStreamID: lastStreamID, .noError, reason: "")
        // The last answers may still have to wait for the socket.
        context.writeAndFlush(wrapOutboundOut(output.take())).assumeIsolated()
            .whenComplete { _ in context.close(promise: nil) }
    }

    /// Ends the connection because its client broke a rule.
    func end(_ error: ConnectionError) {
        guard !hasEnded else { return }
        hasEnded = true
        if reader.hasPreface {
            introduce()
            output.writable.writeGoAway(
                lastStreamID: lastStreamID, error.code, reason: error.reason)
        } else {
            output.writable.writeString(Self.answerToHTTP1)
        }
        writeOut()
        close()
    }

    /// What a browser or a probe of HTTP/1.1 can show to people.
    private static let answerToHTTP1 = """
        HTTP/1.1 505 HTTP Version Not Supported\r\n\
        Content-Type: text/plain\r\n\
        Connection: close\r\n\r\n\
        This port speaks gRPC over HTTP/2 without TLS: use a client of etcd's v3 API.\n
        """

    private func expire(_ slots: [UInt32]) {
        for slot in slots where !hasEnded {
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
        if context.channel.isActive { start() }
    }

    package func handlerRemoved(context: ChannelHandlerContext) {
        timer?.stop()
        prefaceTimeout?.cancel()
        self.context = nil
    }

    package func channelActive(context: ChannelHandlerContext) {
        start()
        context.fireChannelActive()
    }

    package func channelInactive(context: ChannelHandlerContext) {
        hasEnded = true
        prefaceTimeout?.cancel()
        for id in calls.handles { removeCall(id) }
        context.fireChannelInactive()
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !hasEnded else { return }
        isReading = true
        reader.append(unwrapInboundIn(data))
        do throws(ConnectionError) {
            while !hasEnded, let frame = try reader.next() { try received(frame) }
        } catch {
            end(error)
        }
        reader.ownRest()
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        service.readCompleted(on: self)
        flush()
        context.fireChannelReadComplete()
    }

    /// While the client does not take our answers we do not read its requests.
    package func read(context: ChannelHandlerContext) {
        if isWritable { context.read() } else { isReadWanted = true }
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        isWritable = context.channel.isWritable
        if isWritable {
            flush()
            if isReadWanted {
                isReadWanted = false
                context.read()
            }
        }
        context.fireChannelWritabilityChanged()
    }

    /// The client has begun to speak HTTP/2.
    func stopPrefaceTimeout() {
        prefaceTimeout?.cancel()
        prefaceTimeout = nil
    }

    private func start() {
        prefaceTimeout = eventLoop.assumeIsolated().scheduleTask(
            in: .seconds(limits.prefaceSeconds)
        ) { [weak self] in
            self?.close()
        }
    }

    /// Our half of the preface (RFC 9113, section 3.4). It waits for the client's, so that who does not
    /// speak HTTP/2 can be told so in words.
    func introduce() {
        guard !hasIntroduced else { return }
        hasIntroduced = true
        output.writable.writeSettings(
            maxStreams: limits.streamsPerConnection, streamWindow: streamWindow,
            headerListBytes: limits.headerListBytes)
        let increment = connectionWindow - FlowControl.defaultWindow
        if increment > 0 { output.writable.writeWindowUpdate(.connection, by: increment) }
    }
}

extension ServerConnection {
    /// What a client may send on a stream: no less than the default, which holds until the client
    /// has read our SETTINGS.
    var streamWindow: Int { max(limits.streamWindowBytes, FlowControl.defaultWindow) }

    /// What a client may send on the connection; HTTP/2 knows no way to make it smaller.
    var connectionWindow: Int { max(limits.connectionWindowBytes, FlowControl.defaultWindow) }
}
