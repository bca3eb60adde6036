import NIOCore
import SynodBytes
import SynodTransport
import Testing

@Suite struct FaultTests {
    @Test func framesMayComeByteByByte() async throws {
        let b = try await Member(2)
        let peer = try await RawConnection.dial(b.address)
        try await peer.writeByteByByte(Wire.preface + Wire.hello([1]))
        #expect(await b.recorder.wait(for: .hello([1])))
        let messages: [Bytes] = [[1, 2, 3], [], Bytes(repeating: 7, count: 200)]
        try await peer.writeByteByByte(Wire.messages(messages) + Wire.messages([[4]]))
        #expect(await b.recorder.waitForMessages(4, from: PeerID(1)))
        #expect(b.recorder.messages(from: PeerID(1)) == messages + [[4]])
        #expect(await eventually { peer.received == Wire.accepted([2]) })
        await b.shutdown()
    }

    @Test func aCorruptFrameEndsTheStreamAndANewOneFollows() async throws {
        let (a, b) = (try await Member(1), try await Member(2))
        let proxy = try await Proxy(to: b.address)
        a.dial(b.id, at: proxy.address)
        #expect(await a.recorder.wait(for: .accepted(b.id, reply: [2])))
        #expect(await eventually { a.statistics(b.id).hasOutboundBulk })
        a.transport.send([[1]], to: b.id)
        #expect(await b.recorder.wait(for: .received(a.id, [[1]])))
        proxy.corruptOnce()
        a.transport.send([[2]], to: b.id)
        #expect(await b.recorder.wait(for: .disconnected(a.id, .inbound, reset: false)))
        #expect(b.log.mentions("fails its checksum"))
        #expect(await a.recorder.wait { $0.count { $0 == .accepted(b.id, reply: [2]) } == 2 })
        a.transport.send([[3]], to: b.id)
        #expect(await b.recorder.wait(for: .received(a.id, [[3]])))
        #expect(b.recorder.messages(from: a.id) == [[1], [3]])
        #expect(a.statistics(b.id).acceptedStreams == 2)
        await a.shutdown()
        await b.shutdown()
        try await proxy.close()
    }

    @Test(
        arguments: [
            (Wire.header(length: .max, crc: 0), "allowed"),
            (Wire.header(length: 0, crc: 0), "empty"),
            ([200, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "header fails its checksum"),
            (Wire.frame(9, [1]), "unknown kind 9"),
            (Wire.frame(5, [2, 0]), "reaches beyond"),
            (Wire.frame(5, [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1]), "length is malformed"),
            (Wire.frame(5, Bytes(repeating: 0, count: (1 << 16) + 1)), "too many messages"),
            (Wire.hello([1]), "out of turn"),
            (Wire.join([1]), "out of turn"),
        ] as [(Bytes, String)])
    func malformedFramesEndTheStream(_ bytes: Bytes, _ expected: String) async throws {
        let b = try await Member(2)
        let peer = try await RawConnection.dial(b.address)
        try await peer.write(Wire.preface + Wire.hello([1]))
        #expect(await b.recorder.wait(for: .hello([1])))
        try await peer.write(bytes)
        #expect(await peer.waitForClose())
        #expect(b.log.mentions(expected))
        #expect(b.recorder.messages(from: PeerID(1)).isEmpty)
        await b.shutdown()
    }

    @Test func anOversizedHelloIsRefusedByItsHeader() async throws {
        let b = try await Member(2)
        let stranger = try await RawConnection.dial(b.address)
        try await stranger.write(Wire.preface + Wire.header(length: 65_537, crc: 0))
        #expect(await stranger.waitForClose())
        #expect(b.log.mentions("a frame of 65537 bytes is announced"))
        await b.shutdown()
    }

    @Test(arguments: [true, false])
    func aDeadPeerIsReportedAtOnce(withReset: Bool) async throws {
        let b = try await Member(2)
        let peer = try await RawConnection.dial(b.address)
        try await peer.write(Wire.preface + Wire.hello([1]))
        #expect(await b.recorder.wait(for: .hello([1])))
        try await peer.write(Wire.messages([[1]]))
        #expect(await b.recorder.waitForMessages(1, from: PeerID(1)))
        if withReset { try await peer.reset() } else { try await peer.close() }
        let closed = ContinuousClock.now
        let loss = Recorder.Event.disconnected(PeerID(1), .inbound, reset: true)
        #expect(await b.recorder.wait(for: loss))
        let reported = try #require(b.recorder.time(of: loss))
        #expect(reported - closed < .milliseconds(500), "Far below any timeout.")
        #expect(!b.statistics(PeerID(1)).isHeard)
        await b.shutdown()
    }

    @Test func whatWasSentBeforeTheEndIsDelivered() async throws {
        let b = try await Member(2)
        let peer = try await RawConnection.dial(b.address)
        try await peer.write(Wire.preface + Wire.hello([1]))
        #expect(await b.recorder.wait(for: .hello([1])))
        try await peer.write(Wire.messages([[1], [2]]))
        try await peer.close()
        #expect(await b.recorder.wait(for: .disconnected(PeerID(1), .inbound, reset: true)))
        #expect(b.recorder.messages(from: PeerID(1)) == [[1], [2]])
        await b.shutdown()
    }

    @Test func aNewerStreamReplacesTheOlderWithoutAReport() async throws {
        let b = try await Member(2)
        let (older, newer) = (
            try await RawConnection.dial(b.address), try await RawConnection.dial(b.address)
        )
        try await older.write(Wire.preface + Wire.hello([1]))
        #expect(await b.recorder.wait(for: .hello([1])))
        try await newer.write(Wire.preface + Wire.hello([1, 1]))
        #expect(await older.waitForClose())
        try await newer.write(Wire.messages([[5]]))
        #expect(await b.recorder.wait(for: .received(PeerID(1), [[5]])))
        #expect(b.recorder.events == [.hello([1]), .hello([1, 1]), .received(PeerID(1), [[5]])])
        #expect(b.statistics(PeerID(1)).isHeard)
        await b.shutdown()
    }

    @Test func aRestartedPeerIsFoundAgain() async throws {
        var limits = TransportLimits.quick
        limits.longestBackoff = .seconds(60)
        let a = try await Member(1, limits: limits)
        let b = try await Member(2)
        #expect(await a.dialAndWait(b))
        await b.shutdown()
        #expect(await a.recorder.wait(for: .disconnected(b.id, .outbound, reset: true)))
        let refusals = { @Sendable in a.log.lines.count { $0.contains("cannot reach") } >= 5 }
        #expect(await eventually(refusals), "Attempts go on while the peer is away.")
        let reborn = try await Member(2, port: b.address.port)
        reborn.dial(a)
        #expect(
            await a.recorder.wait { $0.count { $0 == .accepted(b.id, reply: [2]) } == 2 },
            "Being dialled by the peer ends the wait.")
        a.transport.send([[8]], to: b.id)
        #expect(await reborn.recorder.wait(for: .received(a.id, [[8]])))
        await a.shutdown()
        await reborn.shutdown()
    }

    @Test func aPeerThatNeverAnswersIsDialledAgain() async throws {
        var limits = TransportLimits.quick
        limits.handshakeTimeout = .milliseconds(50)
        let a = try await Member(1, limits: limits)
        let b = try await Member(2) { _ in .silence }
        a.dial(b)
        #expect(await b.recorder.wait { $0.count { $0 == .hello([1]) } >= 3 })
        #expect(a.log.mentions("did not answer our hello"))
        await a.shutdown()
        await b.shutdown()
    }
}

/// Polls for what no event announces; false after ten seconds.
func eventually(_ condition: @Sendable () -> Bool) async -> Bool {
    for _ in 0..<2000 {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(5))
    }
    return false
}
