import NIOCore
import NIOEmbedded
import NIOHPACK
import NIOHTTP2
import SynodGRPC
import Testing

@Suite struct ServerCallTests {
    @Test func answersAUnaryCall() throws {
        let harness = try ServerHarness()
        harness.call(1, harness.headers(path: EchoService.unary), body: framed([1, 2, 3]))
        try harness.pump()
        let answer = try #require(harness.answers[1])
        #expect(answer.headers?.first(name: ":status") == "200")
        #expect(answer.headers?.first(name: "content-type") == "application/grpc")
        #expect(answer.messages == [[1, 2, 3]])
        #expect(answer.status == "0")
        #expect(answer.hasEnded)
        #expect(answer.reset == nil)
    }

    @Test func aMessageMayBeSplitAtEveryByte() throws {
        let harness = try ServerHarness()
        harness.call(1, harness.headers(path: EchoService.unary), body: framed([7, 8, 9]))
        for byte in try harness.takeClientBytes() {
            try harness.server.writeInbound(ByteBuffer(bytes: [byte]))
        }
        try harness.pump()
        #expect(harness.answers[1]?.messages == [[7, 8, 9]])
    }

    @Test func aMessageMaySpanFramesOfAnySize() throws {
        let harness = try ServerHarness()
        let body = framed(Array(0..<50))
        for size in 1...body.count {
            let streamID = HTTP2StreamID(2 * size - 1)
            harness.send(
                .headers(.init(headers: harness.headers(path: EchoService.unary))), on: streamID)
            for start in stride(from: 0, to: body.count, by: size) {
                let part = Array(body[start..<min(start + size, body.count)])
                harness.send(.data(.init(data: .byteBuffer(ByteBuffer(bytes: part)))), on: streamID)
                try harness.pump()
            }
            harness.send(
                .data(.init(data: .byteBuffer(ByteBuffer()), endStream: true)), on: streamID)
            try harness.pump()
            #expect(harness.answers[streamID]?.messages == [Array(0..<50)], "parts of \(size)")
        }
    }

    @Test func aStreamDeliversSeveralMessagesOfOneFrame() throws {
        let harness = try ServerHarness()
        let body = framed([1]) + framed([]) + framed([2, 3])
        harness.call(1, harness.headers(path: EchoService.stream), body: body)
        try harness.pump()
        #expect(harness.answers[1]?.messages == [[1], [], [2, 3]])
        #expect(harness.answers[1]?.status == "0")
    }

    @Test func aStreamAnswersBeforeItIsHalfClosed() throws {
        let harness = try ServerHarness()
        harness.send(.headers(.init(headers: harness.headers(path: EchoService.stream))), on: 1)
        harness.send(.data(.init(data: .byteBuffer(ByteBuffer(bytes: framed([5]))))), on: 1)
        try harness.pump()
        #expect(harness.answers[1]?.messages == [[5]])
        #expect(harness.answers[1]?.hasEnded == false)
    }

    @Test func errorsAreTrailersOnlyAndEncoded() throws {
        let harness = try ServerHarness()
        harness.call(1, harness.headers(path: EchoService.refuse), body: framed([]))
        try harness.pump()
        let answer = try #require(harness.answers[1])
        #expect(answer.trailers == nil)
        #expect(answer.status == "3")
        #expect(answer.message == "no 100%25 good: %C3%A9")
        #expect(answer.hasEnded)
    }

    @Test(arguments: [
        ("/test.Echo/Nothing", "unknown method Nothing for service test.Echo"),
        ("/test.Other/Unary", "unknown service test.Other"),
        ("nonsense", "malformed method name: \"nonsense\""),
        ("/", "malformed method name: \"/\""),
    ])
    func unknownMethodsAreUnimplemented(path: String, message: String) throws {
        let harness = try ServerHarness()
        harness.call(1, harness.headers(path: path), body: framed([]))
        try harness.pump()
        #expect(harness.answers[1]?.status == "12")
        #expect(harness.answers[1]?.message == message)
    }

    @Test func whatIsNotGRPCIsRefusedInHTTP() throws {
        let harness = try ServerHarness()
        harness.call(
            1, harness.headers(path: EchoService.unary, contentType: "text/html"), body: [1])
        harness.call(3, harness.headers(path: EchoService.unary, method: "PUT"), body: [1])
        harness.call(
            5, harness.headers(path: EchoService.unary, adding: [("grpc-timeout", "1x")]), body: [1]
        )
        harness.call(
            7, harness.headers(path: EchoService.unary, contentType: "application/grpc+proto"),
            body: framed([4]))
        harness.call(
            9, harness.headers(path: EchoService.unary, contentType: "application/grpcx"), body: [])
        try harness.pump()
        #expect(harness.answers[1]?.headers?.first(name: ":status") == "415")
        #expect(harness.answers[3]?.headers?.first(name: ":status") == "405")
        #expect(harness.answers[5]?.headers?.first(name: ":status") == "400")
        #expect(harness.answers[7]?.messages == [[4]])
        #expect(harness.answers[9]?.headers?.first(name: ":status") == "415")
    }

    @Test func aDeadlineEndsTheCall() throws {
        let harness = try ServerHarness()
        let headers = harness.headers(path: EchoService.silent, adding: [("grpc-timeout", "200m")])
        harness.call(1, headers, body: framed([]))
        try harness.pump()
        harness.server.embeddedEventLoop.advanceTime(by: .milliseconds(190))
        try harness.pump()
        #expect(harness.answers[1] == nil)
        harness.server.embeddedEventLoop.advanceTime(by: .milliseconds(42))
        try harness.pump()
        #expect(harness.answers[1]?.status == "4")
        #expect(harness.answers[1]?.message == "context deadline exceeded")
        #expect(harness.service.cancelled == harness.service.held)
        // The answer that comes too late is dropped.
        harness.service.connection?.reply(harness.service.held[0], [1])
        harness.service.connection?.flush()
        try harness.pump()
        #expect(harness.answers[1]?.data == [])
    }

    @Test func aResetCancelsTheCall() throws {
        let harness = try ServerHarness()
        harness.call(1, harness.headers(path: EchoService.silent), body: framed([]))
        try harness.pump()
        harness.send(.rstStream(.cancel), on: 1)
        try harness.pump()
        #expect(harness.service.cancelled == harness.service.held)
        harness.service.connection?.reply(harness.service.held[0], [1])
        harness.service.connection?.flush()
        try harness.pump()
        #expect(harness.answers[1] == nil)
    }

    @Test func theEndOfTheConnectionCancelsAllCalls() throws {
        let harness = try ServerHarness()
        for streamID in [1, 3, 5] as [HTTP2StreamID] {
            harness.call(streamID, harness.headers(path: EchoService.silent), body: framed([]))
        }
        try harness.pump()
        _ = try harness.server.finish(acceptAlreadyClosed: true)
        #expect(Set(harness.service.cancelled) == Set(harness.service.held))
        #expect(harness.service.held.count == 3)
    }

    @Test func aBatchOfAnswersIsOneWrite() throws {
        let harness = try ServerHarness()
        for number in 0..<10 {
            let streamID = HTTP2StreamID(2 * number + 1)
            harness.call(streamID, harness.headers(path: EchoService.silent), body: framed([]))
        }
        try harness.server.writeInbound(ByteBuffer(bytes: harness.takeClientBytes()))
        #expect(harness.service.batches == [10])
        for call in harness.service.held { harness.service.connection?.reply(call, [9]) }
        harness.service.connection?.flush()
        #expect(try harness.server.readOutbound(as: ByteBuffer.self) != nil)
        #expect(try harness.server.readOutbound(as: ByteBuffer.self) == nil)
    }

    @Test func shutdownRefusesNewCallsAndWaitsForThoseInFlight() throws {
        let harness = try ServerHarness()
        harness.call(1, harness.headers(path: EchoService.silent), body: framed([]))
        try harness.pump()
        let connection = try #require(harness.service.connection)
        connection.shutDown(refusingWith: Status(.unavailable, "bye"))
        harness.call(3, harness.headers(path: EchoService.unary), body: framed([]))
        try harness.pump()
        #expect(harness.answers[3]?.status == "14")
        #expect(harness.answers[3]?.message == "bye")
        #expect(harness.goAway == nil)
        #expect(harness.server.isActive)
        connection.reply(harness.service.held[0], [1])
        connection.flush()
        try harness.pump()
        #expect(harness.answers[1]?.messages == [[1]])
        #expect(harness.goAway == .noError)
        #expect(!harness.server.isActive)
    }
}
