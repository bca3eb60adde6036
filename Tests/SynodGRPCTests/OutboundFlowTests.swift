import NIOCore
import NIOEmbedded
import NIOPosix
import SynodGRPC
import Testing

/// Answers that a window or the socket holds up.
@Suite struct OutboundFlowTests {
    private let noWindow = setting(4, 0)

    @Test func anAnswerWaitsForItsWindow() throws {
        let client = try RawClient(settings: noWindow)
        try client.send(request(EchoService.unary, on: 1, [1, 2, 3]))
        #expect(client.frames(.headers, on: 1).count == 1)
        #expect(client.data(on: 1).isEmpty)
        try client.send(windowUpdate(on: 1, 6))
        #expect(client.data(on: 1) == Array(framed([1, 2, 3])[..<6]))
        #expect(!client.hasEnded(1))
        try client.send(windowUpdate(on: 1, 2))
        #expect(client.data(on: 1) == framed([1, 2, 3]))
        #expect(client.hasEnded(1))
    }

    @Test func aChangeOfTheInitialWindowReachesOpenStreams() throws {
        let client = try RawClient(settings: setting(4, 5))
        try client.send(request(EchoService.unary, on: 1, [1, 2, 3]))
        #expect(client.data(on: 1).count == 5)
        // The window is now below zero, and has to come up again.
        try client.send(frame(.settings, payload: setting(4, 2)))
        try client.send(windowUpdate(on: 1, 3))
        #expect(client.data(on: 1).count == 5)
        try client.send(frame(.settings, payload: setting(4, 4)))
        #expect(client.data(on: 1).count == 7)
        try client.send(frame(.settings, payload: setting(4, 100)))
        #expect(client.data(on: 1) == framed([1, 2, 3]))
    }

    @Test func aWindowThatShrinksHoldsACallUpThatHadItsTurn() throws {
        let client = try RawClient(settings: setting(4, 1 << 20))
        // The connection's window is the limit at first.
        try client.send(
            request(EchoService.unary, on: 1, [UInt8](repeating: 1, count: 10_000)))
        let large = [UInt8](repeating: 2, count: 16_000)
        for stream in stride(from: 3 as UInt32, through: 11, by: 2) {
            try client.send(request(EchoService.unary, on: stream, large))
        }
        #expect(client.frames.filter { $0.kind == 0 }.map(\.payload.count).reduce(0, +) == 65_535)
        try client.send(frame(.settings, payload: noWindow) + windowUpdate(on: 0, 1 << 20))
        #expect(client.frames.filter { $0.kind == 0 }.map(\.payload.count).reduce(0, +) == 65_535)
        try client.send(frame(.settings, payload: setting(4, 1 << 20)))
        for stream in stride(from: 3 as UInt32, through: 11, by: 2) {
            #expect(client.data(on: stream) == framed(large))
            #expect(client.hasEnded(stream))
        }
    }

    @Test func callsTakeTurnsWhenTheConnectionIsTheLimit() throws {
        let client = try RawClient(settings: setting(4, 1 << 20))
        let message = [UInt8](repeating: 1, count: 100_000)
        for stream in [1, 3, 5] as [UInt32] {
            let body = framed(message)
            var bytes = requestHeaders(EchoService.unary, on: stream)
            for start in stride(from: 0, to: body.count, by: 16_384) {
                let end = min(start + 16_384, body.count)
                bytes += frame(
                    .data, flags: end == body.count ? .endStream : [], on: stream,
                    payload: Array(body[start..<end]))
            }
            try client.send(bytes)
        }
        // The first call had the window for itself.
        #expect(client.data(on: 1).count == 65_535)
        try client.send(windowUpdate(on: 0, 6 * 16_384))
        #expect(client.data(on: 1).count > 65_535)
        #expect(abs(client.data(on: 3).count - client.data(on: 5).count) <= 16_384)
        #expect(client.data(on: 5).count >= 16_384)
        try client.send(windowUpdate(on: 0, 1 << 20))
        for stream in [1, 3, 5] as [UInt32] {
            #expect(client.data(on: stream) == framed(message))
        }
    }

    @Test func aResetDropsWhatWaits() throws {
        var limits = GRPCLimits()
        limits.queuedBytesPerConnection = 250
        let client = try RawClient(limits: limits, settings: noWindow)
        let message = [UInt8](repeating: 0, count: 100)
        for stream in stride(from: 1 as UInt32, to: 41, by: 2) {
            try client.send(request(EchoService.unary, on: stream, message))
            #expect(!client.hasEnded(stream))
            try client.send(frame(.resetStream, on: stream, payload: bytes(UInt32(8))))
        }
        try client.send(frame(.settings, payload: setting(4, 1_000)))
        #expect(client.frames.allSatisfy { $0.kind != 0 })
        #expect(client.goAway == nil)
    }

    @Test func answersWaitForTheSocketInABoundedQueue() throws {
        var limits = GRPCLimits()
        limits.queuedBytesPerConnection = 250
        let client = try RawClient(limits: limits)
        client.server.isWritable = false
        client.server.pipeline.fireChannelWritabilityChanged()
        let message = [UInt8](repeating: 0, count: 100)
        for stream in [1, 3, 5] as [UInt32] {
            try client.send(request(EchoService.unary, on: stream, message))
        }
        #expect(client.data(on: 1).isEmpty)
        #expect(client.data(on: 3).isEmpty)
        #expect(client.hasEnded(5))
        client.server.isWritable = true
        client.server.pipeline.fireChannelWritabilityChanged()
        try client.collect()
        #expect(client.data(on: 1) == framed(message))
        #expect(client.data(on: 3) == framed(message))
        #expect(client.hasEnded(3))
    }

    @Test func theAnswersOfAStreamStayInOrderBehindItsWindow() throws {
        let client = try RawClient(settings: noWindow)
        try client.send(request(EchoService.stream, on: 1, [1, 2, 3]))
        #expect(!client.hasEnded(1))
        try client.send(windowUpdate(on: 1, 100))
        #expect(client.data(on: 1) == framed([1, 2, 3]))
        #expect(client.frames.last?.flags == 5)
        #expect(client.hasEnded(1))
    }

    /// Ten megabytes to a client that reads a little now and then, over a real socket.
    @Test func aLargeAnswerReachesASlowReader() async throws {
        var limits = GRPCLimits()
        limits.messageBytes = 11 << 20
        let bounds = limits
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    _ = try ServerConnection.configure(
                        channel, service: EchoService(), limits: bounds)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let message = (0..<10 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = eventLoop.makePromise(of: [UInt8].self)
        let client = try await ClientBootstrap(group: eventLoop)
            .channelOption(.autoRead, value: false)
            .channelOption(
                .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 200_000)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        SlowReader(expected: message.count + 5, promise))
                }
            }
            .connect(to: try #require(server.localAddress)).get()
        var bytes = RawClient.preface + frame(.settings, payload: setting(4, 1 << 30))
        bytes += windowUpdate(on: 0, 1 << 30) + requestHeaders(EchoService.unary, on: 1)
        let body = framed(message)
        for start in stride(from: 0, to: body.count, by: 16_384) {
            let end = min(start + 16_384, body.count)
            bytes += frame(
                .data, flags: end == body.count ? .endStream : [], on: 1,
                payload: Array(body[start..<end]))
        }
        client.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil)
        let answer = try await promise.futureResult.get()
        #expect(answer == body)
        try await client.close()
        try await server.close()
    }
}

/// Reads once in a while, and joins the DATA of all it reads.
private final class SlowReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let expected: Int
    private let promise: EventLoopPromise<[UInt8]>
    private var bytes = ByteBuffer()
    private var data: [UInt8] = []

    init(expected: Int, _ promise: EventLoopPromise<[UInt8]>) {
        self.expected = expected
        self.promise = promise
    }

    func channelActive(context: ChannelHandlerContext) {
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        bytes.writeImmutableBuffer(unwrapInboundIn(data))
        bytes.discardReadBytes()
        while let header = bytes.getInteger(at: bytes.readerIndex, as: UInt32.self),
            bytes.readableBytes >= 9 + Int(header >> 8),
            let frame = bytes.readBytes(length: 9 + Int(header >> 8))
        {
            if header & 0xff == 0 { self.data += frame[9...] }
        }
        if self.data.count == expected { promise.succeed(self.data) }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(2)) { context.read() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        promise.fail(ChannelError.eof)
    }
}
