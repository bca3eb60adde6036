import NIOCore
import NIOEmbedded
import SynodBytes
import SynodGRPC
import Testing

/// The rules of RFC 9113 that a client can break, and what it gets for that.
@Suite struct HTTP2RulesTests {
    private static let open = requestHeaders(EchoService.silent, on: 1)
    private static let block = requestBlock(EchoService.silent)

    @Test(
        arguments: [
            ("DATA on stream 0", frame(.data, payload: [1]), 1),
            ("DATA on an idle stream", frame(.data, on: 3, payload: [1]), 1),
            ("DATA on a server's stream", frame(.data, on: 2, payload: [1]), 1),
            ("too much padding", frame(.data, flags: .padded, on: 1, payload: [2, 0]), 1),
            ("no padding length", frame(.data, flags: .padded, on: 1), 1),
            ("HEADERS on stream 0", requestHeaders(EchoService.silent, on: 0), 1),
            ("HEADERS on a server's stream", requestHeaders(EchoService.silent, on: 2), 1),
            (
                "padded HEADERS",
                frame(.headers, flags: [.padded, .endHeaders], on: 3, payload: [9]), 1
            ),
            ("HEADERS too short", frame(.headers, flags: [.priority, .endHeaders], on: 3), 6),
            (
                "RST_STREAM on an idle stream",
                frame(.resetStream, on: 3, payload: bytes(UInt32(8))), 1
            ),
            ("RST_STREAM on stream 0", frame(.resetStream, payload: bytes(UInt32(8))), 1),
            ("RST_STREAM too short", frame(.resetStream, on: 1, payload: [0, 0, 0]), 6),
            ("PRIORITY too long", frame(.priority, on: 1, payload: [0, 0, 0, 0, 0, 0]), 6),
            ("PRIORITY on stream 0", frame(.priority, payload: [0, 0, 0, 0, 0]), 1),
            ("SETTINGS on a stream", frame(.settings, on: 1), 1),
            ("SETTINGS of five bytes", frame(.settings, payload: [0, 3, 0, 0, 0]), 6),
            (
                "SETTINGS that acknowledges",
                frame(.settings, flags: .acknowledgement, payload: [0]), 6
            ),
            ("ENABLE_PUSH 2", frame(.settings, payload: setting(2, 2)), 1),
            ("INITIAL_WINDOW_SIZE", frame(.settings, payload: setting(4, 1 << 31)), 3),
            ("MAX_FRAME_SIZE too small", frame(.settings, payload: setting(5, 16_383)), 1),
            ("MAX_FRAME_SIZE too large", frame(.settings, payload: setting(5, 1 << 24)), 1),
            ("PUSH_PROMISE", frame(.pushPromise, on: 1, payload: bytes(UInt32(2))), 1),
            ("PING on a stream", frame(.ping, on: 1, payload: bytes(UInt64(0))), 1),
            ("PING of seven bytes", frame(.ping, payload: [0, 0, 0, 0, 0, 0, 0]), 6),
            ("GOAWAY on a stream", frame(.goAway, on: 1, payload: bytes(UInt64(0))), 1),
            ("GOAWAY too short", frame(.goAway, payload: bytes(UInt32(0))), 6),
            ("WINDOW_UPDATE of 0", windowUpdate(on: 0, 0), 1),
            ("WINDOW_UPDATE on an idle stream", windowUpdate(on: 3, 1), 1),
            ("WINDOW_UPDATE too large", windowUpdate(on: 0, (1 << 31) - 65_535), 3),
            ("WINDOW_UPDATE too long", frame(.windowUpdate, payload: [0, 0, 0, 1, 0]), 6),
            ("CONTINUATION of nothing", frame(.continuation, on: 1), 1),
            (
                "CONTINUATION of another stream",
                frame(.headers, on: 3, payload: block)
                    + frame(.continuation, flags: .endHeaders, on: 5),
                1
            ),
            (
                "an interrupted block",
                frame(.headers, on: 3, payload: block) + frame(.ping, payload: bytes(UInt64(0))), 1
            ),
            ("a frame that is too large", [0x00, 0x40, 0x01, 0, 0, 0, 0, 0, 1], 6),
            (
                "a bad header block",
                frame(.headers, flags: .endHeaders, on: 3, payload: [0x80]), 9
            ),
            (
                "HEADERS on a stream that was passed over",
                requestHeaders(EchoService.silent, on: 5)
                    + requestHeaders(EchoService.silent, on: 3), 5
            ),
        ] as [(String, [UInt8], UInt32)])
    func breakingARuleEndsTheConnection(what: String, bytes: [UInt8], code: UInt32) throws {
        let client = try RawClient()
        try client.send(Self.open)
        #expect(client.goAway == nil)
        #expect(client.server.isActive)
        _ = try? client.send(bytes)
        #expect(client.goAway == code)
        #expect(!client.server.isActive)
        // The call that was open has heard of it.
        #expect(client.frames(.goAway, on: 0).first?.number(at: 0) ?? 0 >= 1)
    }

    @Test(arguments: [
        requestHeaders(EchoService.unary, on: 1),
        frame(.settings, flags: .acknowledgement),
        frame(.ping, payload: bytes(UInt64(0))),
    ])
    func settingsComeFirst(first: [UInt8]) throws {
        let client = try RawClient(settings: nil)
        _ = try? client.send(RawClient.preface + first)
        #expect(client.goAway == 1)
    }

    @Test(
        arguments: [
            (windowUpdate(on: 1, 0), 1),
            (windowUpdate(on: 1, UInt32(Int32.max)), 3),
            (requestHeaders(EchoService.silent, on: 1), 1),  // trailers that are not the end
            (
                frame(.data, flags: .endStream, on: 1, payload: framed([]))
                    + frame(.data, on: 1, payload: framed([])), 5
            ),
            (
                frame(.data, flags: .endStream, on: 1, payload: framed([]))
                    + requestHeaders(EchoService.silent, on: 1, flags: [.endHeaders, .endStream]), 5
            ),
        ] as [([UInt8], UInt32)])
    func breakingAStreamsRuleEndsTheStream(bytes: [UInt8], code: UInt32) throws {
        let client = try RawClient()
        try client.send(Self.open + bytes)
        #expect(client.reset(on: 1) == code)
        #expect(client.goAway == nil)
        // The connection goes on.
        try client.send(request(EchoService.unary, on: 3, [7]))
        #expect(client.data(on: 3) == framed([7]))
        // What the client had sent before it knew is no error.
        try client.send(frame(.data, on: 1, payload: [1]) + windowUpdate(on: 1, 1))
        #expect(client.goAway == nil)
    }

    @Test func whatIsNotKnownIsIgnored() throws {
        let client = try RawClient(settings: setting(0xf000, 1) + setting(5, 20_000))
        try client.send(
            frame(kind: 0x77, flags: 0xff, on: 1, payload: [1, 2, 3])
                + frame(.priority, on: 9, payload: [0, 0, 0, 9, 1])
                + frame(.ping, flags: .acknowledgement, payload: bytes(UInt64(1)))
                + frame(.goAway, payload: bytes(UInt64(0)))
                + request(EchoService.unary, on: 1, [5]))
        #expect(client.data(on: 1) == framed([5]))
        #expect(client.goAway == nil)
    }

    @Test func paddingAndPrioritiesAreTakenOff() throws {
        let client = try RawClient()
        let priority: [UInt8] = [0x80, 0, 0, 3, 200]
        try client.send(
            frame(
                .headers, flags: [.padded, .priority, .endHeaders], on: 1,
                payload: [4] + priority + requestBlock(EchoService.unary) + [9, 9, 9, 9])
                + frame(
                    .data, flags: [.padded, .endStream], on: 1,
                    payload: [3] + framed([1, 2]) + [9, 9, 9]))
        #expect(client.data(on: 1) == framed([1, 2]))
    }

    @Test func aHeaderBlockMayComeInPieces() throws {
        let client = try RawClient()
        let block = requestBlock(EchoService.unary)
        var bytes = frame(.headers, on: 1, payload: Array(block[..<3]))
        bytes += frame(.continuation, on: 1, payload: Array(block[3..<20]))
        bytes += frame(.continuation, on: 1)
        bytes += frame(.continuation, flags: .endHeaders, on: 1, payload: Array(block[20...]))
        bytes += frame(.data, flags: .endStream, on: 1, payload: framed([6]))
        try client.send(bytes)
        #expect(client.data(on: 1) == framed([6]))
    }

    @Test func settingsAndPingsAreAcknowledged() throws {
        let client = try RawClient()
        try client.send(frame(.ping, payload: [1, 2, 3, 4, 5, 6, 7, 8]))
        #expect(client.frames(.settings, on: 0).map(\.flags) == [0, 1])
        #expect(client.frames(.ping, on: 0).map(\.flags) == [1])
        #expect(client.frames(.ping, on: 0).map(\.payload) == [[1, 2, 3, 4, 5, 6, 7, 8]])
    }

    @Test func callsBeyondTheLimitAreRefusedUnseen() throws {
        var limits = GRPCLimits()
        limits.streamsPerConnection = 2
        let client = try RawClient(limits: limits)
        for stream in [1, 3, 5] as [UInt32] {
            try client.send(request(EchoService.silent, on: stream))
        }
        #expect(client.reset(on: 5) == 7)
        #expect(client.service.held.count == 2)
        client.service.connection?.reply(client.service.held[0], [])
        client.service.connection?.flush()
        try client.send(request(EchoService.silent, on: 7))
        #expect(client.service.held.count == 3)
    }

    @Test(arguments: [
        frame(.ping, payload: bytes(UInt64(0))),
        frame(.settings),
        frame(.settings, flags: .acknowledgement),
        frame(.data, on: 1),
        frame(.resetStream, on: 1, payload: bytes(UInt32(8))),
    ])
    func floodsEndTheConnection(nuisance: [UInt8]) throws {
        var limits = GRPCLimits()
        limits.nuisanceFramesPerSecond = 20
        let client = try RawClient(limits: limits)
        try client.send(Self.open)
        for _ in 0..<19 { try client.send(nuisance) }
        #expect(client.goAway == nil)
        // A second later they count anew.
        client.server.embeddedEventLoop.advanceTime(by: .seconds(1))
        for _ in 0..<20 { try client.send(nuisance) }
        #expect(client.goAway == nil)
        _ = try? client.send(nuisance)
        #expect(client.goAway == 11)
        #expect(!client.server.isActive)
    }

    @Test func streamErrorsAreCountedOverTheConnectionsLife() throws {
        var limits = GRPCLimits()
        limits.streamErrors = 20
        let client = try RawClient(limits: limits)
        for number in 0..<20 as Range<UInt32> {
            client.server.embeddedEventLoop.advanceTime(by: .seconds(2))
            let stream = 2 * number + 1
            try client.send(
                requestHeaders(EchoService.silent, on: stream) + windowUpdate(on: stream, 0))
        }
        #expect(client.goAway == nil)
        _ = try? client.send(
            requestHeaders(EchoService.silent, on: 101) + windowUpdate(on: 101, 0))
        #expect(client.goAway == 11)
    }

    @Test func aFloodOfContinuationsEndsTheConnection() throws {
        let empty = try RawClient()
        _ = try? empty.send(frame(.headers, on: 1, payload: Self.block))
        for _ in 0..<100 { _ = try? empty.send(frame(.continuation, on: 1)) }
        #expect(empty.goAway == 11)

        let large = try RawClient()
        _ = try? large.send(frame(.headers, on: 1, payload: Self.block))
        for _ in 0..<3 {
            let part = [UInt8](repeating: 0, count: 16_384)
            _ = try? large.send(frame(.continuation, on: 1, payload: part))
        }
        #expect(large.goAway == 11)
    }

    /// A client that is still sending what was refused is told how much more it may send.
    @Test func whatComesTooLateStillCounts() throws {
        var limits = GRPCLimits()
        limits.messageBytes = 100
        limits.connectionWindowBytes = 65_535
        let client = try RawClient(limits: limits)
        try client.send(requestHeaders(EchoService.unary, on: 1))
        let part = [UInt8](repeating: 0, count: 10_000)
        try client.send(frame(.data, on: 1, payload: framed([], length: 1_000_000)))
        #expect(client.reset(on: 1) == 0)
        for _ in 0..<20 { try client.send(frame(.data, on: 1, payload: part)) }
        let increments = client.frames(.windowUpdate, on: 0).map { $0.number(at: 0) }
        #expect(increments.reduce(0, +) >= 200_005 - 32_768)
        #expect(client.frames(.windowUpdate, on: 1).isEmpty)
        #expect(client.frames(.resetStream, on: 1).count == 1)
        #expect(client.goAway == nil)
    }

    /// Whatever is done to the bytes of a conversation, and however they are cut, nothing crashes
    /// and no call is left behind.
    @Test(arguments: 0..<8 as Range<UInt64>)
    func randomDamageNeverCrashes(seed: UInt64) throws {
        var random = PRNG(seed: seed)
        var good = RawClient.preface + frame(.settings, payload: setting(4, 10))
        for stream in stride(from: 1 as UInt32, to: 21, by: 2) {
            let path = [EchoService.unary, EchoService.silent, EchoService.stream]
            good += request(path[Int(stream % 3)], on: stream, [1, 2, 3, 4, 5, 6, 7, 8])
            good += windowUpdate(on: stream, 5) + windowUpdate(on: 0, 10)
            good += frame(.settings, payload: setting(4, stream) + setting(1, stream * 20))
        }
        for _ in 0..<400 {
            var bytes = good
            for _ in 0..<1 + random.next() % 4 {
                let index = Int(random.next() % UInt64(bytes.count))
                switch random.next() % 3 {
                case 0: bytes[index] = UInt8(truncatingIfNeeded: random.next())
                case 1: bytes.remove(at: index)
                default: bytes.insert(UInt8(truncatingIfNeeded: random.next()), at: index)
                }
            }
            let client = try RawClient(settings: nil)
            for piece in randomPieces(of: bytes, longest: 200, &random) {
                _ = try? client.send(piece)
            }
            _ = try? client.server.finish(acceptAlreadyClosed: true)
            #expect(Set(client.service.cancelled).isSuperset(of: client.service.held))
        }
    }
}
