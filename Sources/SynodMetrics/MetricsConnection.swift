import NIOCore
import NIOHTTP1
import NIOPosix

/// Answers the one request that a connection may carry, and closes it.
///
/// Who scrapes comes every few seconds and does not mind a new connection. In exchange there are no
/// idle connections, no requests that wait behind others, and one deadline bounds everything.
final class MetricsConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        /// The head has not come yet.
        case idle
        /// The body has not come to its end yet.
        case reading(HTTPRequestHead, bodyBytes: Int)
        /// The request is complete or wrong, and what comes behind it is not looked at.
        case answering
    }

    private let responder: MetricsResponder
    private let snapshot: MetricsServer.Source
    private let worker: NIOThreadPool
    private let limits: MetricsLimits
    private var state = State.idle

    /// - Parameter worker: makes the answers, for that takes files and time.
    init(
        responder: MetricsResponder, snapshot: @escaping MetricsServer.Source,
        worker: NIOThreadPool, limits: MetricsLimits
    ) {
        self.responder = responder
        self.snapshot = snapshot
        self.worker = worker
        self.limits = limits
    }

    /// Makes a channel speak HTTP/1.1 to this handler.
    func join(_ channel: any Channel) throws {
        var bounds = NIOHTTPDecoderLimitConfiguration()
        bounds.maxHeaderFieldSize = limits.requestBytes
        bounds.maxHeaderListSize = limits.requestBytes
        bounds.maxHeaderFieldCount = limits.headerFields
        let operations = channel.pipeline.syncOperations
        try operations.addHandler(HTTPResponseEncoder())
        try operations.addHandler(
            ByteToMessageHandler(HTTPRequestDecoder(limitConfiguration: bounds)))
        try operations.addHandler(self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch (unwrapInboundIn(data), state) {
        case (.head(let head), .idle): state = .reading(head, bodyBytes: 0)
        case (.body(let part), .reading(let head, let bytes)):
            state = .reading(head, bodyBytes: bytes + part.readableBytes)
            if bytes + part.readableBytes > limits.requestBytes { send(tooLarge, context) }
        case (.end, .reading(let head, _)): answer(head, context)
        case (_, .answering): break
        case (.body, .idle), (.end, .idle), (.head, .reading):
            preconditionFailure("The decoder gives a head, a body and an end, in this order.")
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // What comes behind a request need not be one.
        if case .answering = state { return }
        guard error is HTTPParserError else { return context.close(promise: nil) }
        guard case .headerOverflow? = error as? HTTPParserError else {
            return send(.refusal(400, "This is not a request in HTTP/1.1. Use GET."), context)
        }
        send(tooLarge, context)
    }

    /// Whoever has asked may end the sending half; whoever has not will not ask any more.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .inputClosed? = event as? ChannelEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        switch state {
        case .idle, .reading: context.close(promise: nil)
        case .answering: break
        }
    }

    private var tooLarge: MetricsResponder.Answer {
        .refusal(
            413,
            "A request may have \(limits.requestBytes) bytes and \(limits.headerFields) headers. GET "
                + "needs no body.")
    }

    private func answer(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        state = .answering
        let request = MetricsResponder.Request(
            method: head.method.rawValue, target: head.uri)
        let isHead = head.method == .HEAD
        if let refusal = responder.refusal(of: request) {
            return write(refusal, withoutBody: isHead, context)
        }
        let (worker, responder, eventLoop) = (worker, responder, context.eventLoop)
        snapshot()
            .flatMap { snapshot in
                worker.runIfActive(eventLoop: eventLoop) { responder.answer(request, snapshot) }
            }
            .hop(to: eventLoop).assumeIsolated()
            .whenComplete { result in
                switch result {
                case .success(let answer): self.write(answer, withoutBody: isHead, context)
                // The server stops.
                case .failure: context.close(promise: nil)
                }
            }
    }

    /// Answers a request that is not read to its end.
    private func send(_ refusal: MetricsResponder.Answer, _ context: ChannelHandlerContext) {
        state = .answering
        write(refusal, withoutBody: false, context)
    }

    private func write(
        _ answer: MetricsResponder.Answer, withoutBody: Bool, _ context: ChannelHandlerContext
    ) {
        var headers = HTTPHeaders([
            ("Content-Type", answer.contentType), ("Content-Length", "\(answer.body.utf8.count)"),
            ("Connection", "close"),
        ])
        if answer.status == 405 {
            headers.add(name: "Allow", value: MetricsResponder.methods.joined(separator: ", "))
        }
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: answer.status),
            headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        if !withoutBody {
            let body = context.channel.allocator.buffer(string: answer.body)
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil))).assumeIsolated()
            .whenComplete { _ in context.close(promise: nil) }
    }
}
