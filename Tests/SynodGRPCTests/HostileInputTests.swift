import NIOCore
import NIOEmbedded
import NIOHPACK
import NIOHTTP2
import SynodGRPC
import Testing

@Suite struct HostileInputTests {
    private func smallLimits() -> GRPCLimits {
        var limits = GRPCLimits()
        limits.messageBytes = 100
        limits.partialBytesPerConnection = 250
        return limits
    }

    @Test func tooLargeAMessageIsRefusedByItsPrefix() throws {
        let harness = try ServerHarness(limits: smallLimits())
        harness.send(.headers(.init(headers: harness.headers(path: EchoService.unary))), on: 1)
        let body = framed([], length: 101)
        harness.send(.data(.init(data: .byteBuffer(ByteBuffer(bytes: body)))), on: 1)
        try harness.pump()
        #expect(harness.answers[1]?.status == "8")
        #expect(
            harness.answers[1]?.message == "grpc: received message larger than max (101 vs. 100)")
        #expect(harness.answers[1]?.reset == .noError)
    }

    @Test func theLargestMessagePasses() throws {
        let harness = try ServerHarness(limits: smallLimits())
        let message = [UInt8](repeating: 3, count: 100)
        harness.call(1, harness.headers(path: EchoService.unary), body: framed(message))
        try harness.pump()
        #expect(harness.answers[1]?.messages == [message])
    }

    @Test(arguments: [
        (framed([1], flag: 1), "12"),  // compressed
        (framed([1], flag: 2), "13"),  // no such flag
        (framed([1], length: 2), "13"),  // cut off
        ([0, 0], "13"),  // cut off in the prefix
        ([], "13"),  // no message
        (framed([1]) + framed([2]), "13"),  // two messages
        (framed([], length: .max), "8"),
    ])
    func badBodiesGetAStatus(body: [UInt8], status: String) throws {
        let harness = try ServerHarness()
        harness.call(1, harness.headers(path: EchoService.unary), body: body)
        try harness.pump()
        #expect(harness.answers[1]?.status == status)
        // The connection goes on.
        harness.call(3, harness.headers(path: EchoService.unary), body: framed([6]))
        try harness.pump()
        #expect(harness.answers[3]?.messages == [[6]])
    }

    @Test func unfinishedRequestsAreBounded() throws {
        let harness = try ServerHarness(limits: smallLimits())
        for streamID in [1, 3, 5] as [HTTP2StreamID] {
            harness.send(
                .headers(.init(headers: harness.headers(path: EchoService.unary))), on: streamID)
            let part = framed([UInt8](repeating: 0, count: 90), length: 100)
            harness.send(.data(.init(data: .byteBuffer(ByteBuffer(bytes: part)))), on: streamID)
        }
        try harness.pump()
        #expect(harness.answers[1] == nil)
        #expect(harness.answers[3] == nil)
        #expect(harness.answers[5]?.status == "8")
    }

    @Test func answersThatAreNotTakenAreBounded() throws {
        var limits = GRPCLimits()
        limits.queuedBytesPerConnection = 250
        let settings = nioDefaultSettings + [HTTP2Setting(parameter: .initialWindowSize, value: 0)]
        let harness = try ServerHarness(limits: limits, clientSettings: settings)
        let message = [UInt8](repeating: 0, count: 100)
        for streamID in [1, 3, 5] as [HTTP2StreamID] {
            harness.call(streamID, harness.headers(path: EchoService.unary), body: framed(message))
        }
        try harness.pump()
        #expect(harness.answers[1]?.hasEnded == false)
        #expect(harness.answers[3]?.hasEnded == false)
        #expect(harness.answers[5]?.status == "8")
        harness.send(.windowUpdate(windowSizeIncrement: 1000), on: 1)
        try harness.pump()
        #expect(harness.answers[1]?.messages == [message])
        // What has left makes room.
        harness.call(7, harness.headers(path: EchoService.unary), body: framed(message))
        try harness.pump()
        #expect(harness.answers[7]?.hasEnded == false)
    }

    @Test(arguments: [
        Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8),
        [UInt8](repeating: 0, count: 64),
        [UInt8](repeating: 0xff, count: 64),
        Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8) + [UInt8](repeating: 0xff, count: 64),
        // A HEADERS frame on stream 0.
        Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
            + [0, 0, 0, 4, 0, 0, 0, 0, 0] + [0, 0, 1, 1, 4, 0, 0, 0, 0, 0x82],
    ])
    func whatIsNotHTTP2EndsTheConnection(bytes: [UInt8]) throws {
        let service = EchoService()
        let channel = EmbeddedChannel()
        try ServerConnection.configure(channel, service: service, limits: GRPCLimits())
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        _ = try? channel.writeInbound(ByteBuffer(bytes: bytes))
        #expect(!channel.isActive)
        #expect(service.batches.isEmpty)
    }

    @Test func aClientOfHTTP1IsToldWhatThisPortSpeaks() throws {
        let channel = EmbeddedChannel()
        try ServerConnection.configure(channel, service: EchoService(), limits: GRPCLimits())
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        _ = try? channel.writeInbound(ByteBuffer(string: "GET /health HTTP/1.1\r\n\r\n"))
        let answer = try #require(try channel.readOutbound(as: ByteBuffer.self))
        #expect(String(buffer: answer).hasPrefix("HTTP/1.1 505 "))
        #expect(!channel.isActive)
    }

    @Test func aSilentConnectionIsClosed() throws {
        let channel = EmbeddedChannel()
        try ServerConnection.configure(channel, service: EchoService(), limits: GRPCLimits())
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        channel.embeddedEventLoop.advanceTime(by: .seconds(9))
        #expect(channel.isActive)
        channel.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!channel.isActive)
    }

    /// Every prefix of a good conversation, followed by the end of the connection, and every
    /// conversation with one byte changed: nothing crashes, and no call is left behind.
    @Test func damagedConversationsNeverCrash() throws {
        let recorder = try ServerHarness()
        var conversation = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
        conversation += [0, 0, 0, 4, 0, 0, 0, 0, 0]
        recorder.call(1, recorder.headers(path: EchoService.unary), body: framed([1, 2]))
        recorder.call(3, recorder.headers(path: EchoService.silent), body: framed([3]))
        recorder.send(.headers(.init(headers: recorder.headers(path: EchoService.stream))), on: 5)
        conversation += try recorder.takeClientBytes()
        for index in conversation.indices {
            var damaged = conversation
            damaged[index] ^= 0xa5
            for bytes in [Array(conversation[..<index]), damaged] {
                let service = EchoService()
                let channel = EmbeddedChannel()
                try ServerConnection.configure(channel, service: service, limits: GRPCLimits())
                channel.connect(
                    to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
                _ = try? channel.writeInbound(ByteBuffer(bytes: bytes))
                _ = try? channel.finish(acceptAlreadyClosed: true)
                #expect(Set(service.cancelled).isSuperset(of: service.held))
            }
        }
    }

    @Test func aFloodOfResetsEndsTheConnection() throws {
        var limits = GRPCLimits()
        limits.nuisanceFramesPerSecond = 20
        let harness = try ServerHarness(limits: limits)
        for number in 0..<30 {
            let streamID = HTTP2StreamID(2 * number + 1)
            harness.call(streamID, harness.headers(path: EchoService.silent), body: framed([]))
            harness.send(.rstStream(.cancel), on: streamID)
        }
        try? harness.pump()
        #expect(!harness.server.isActive)
    }

    @Test func oddHeadersCostNoOtherCallItsConnection() throws {
        let harness = try ServerHarness()
        harness.call(1, harness.headers(path: EchoService.silent), body: framed([]))
        let odd = HPACKHeaders([
            (":method", "POST"), ("content-type", "application/grpc"), ("te", "nonsense"),
            ("connection", "keep-alive"), ("Upper", "Case"),
        ])
        harness.call(3, odd, body: framed([]))
        try harness.pump()
        #expect(harness.answers[3]?.status == "12")
        #expect(harness.server.isActive)
        #expect(harness.service.cancelled.isEmpty)
    }

    @Test func headersBeyondTheLimitEndTheConnection() throws {
        let harness = try ServerHarness()
        let huge = harness.headers(
            path: EchoService.unary,
            adding: (0..<40).map { ("name-\($0)", String(repeating: "x", count: 1_000)) })
        harness.call(1, huge, body: framed([]))
        try? harness.pump()
        #expect(!harness.server.isActive)
        #expect(harness.service.batches.isEmpty)
    }
}
