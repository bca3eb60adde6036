import NIOCore
import SynodBytes
import SynodTransport
import Testing

@Suite struct HandshakeTests {
    @Test func theOwnersExchangeHelloAndReply() async throws {
        let b = try await Member(2) { hello in
            hello == [1, 2, 3] ? .accept(PeerID(1), reply: [4, 5]) : .refuse("who?")
        }
        let a = try await Member(1)
        a.transport.dial(b.id, at: [b.address], hello: [1, 2, 3])
        #expect(await a.recorder.wait(for: .accepted(b.id, reply: [4, 5])))
        #expect(b.recorder.events == [.hello([1, 2, 3])])
        await a.shutdown()
        await b.shutdown()
    }

    @Test func theOwnerMayAnswerLater() async throws {
        let (a, b) = (try await Member(1), try await Member(2) { _ in .silence })
        a.dial(b)
        try #require(await b.recorder.wait(for: .hello([1])))
        #expect(!a.statistics(b.id).isReachable)
        b.transport.accept(b.recorder.connections[0], as: a.id, reply: [])
        #expect(await a.recorder.wait(for: .accepted(b.id, reply: [])))
        await a.shutdown()
        await b.shutdown()
    }

    @Test func aRefusedMemberIsToldWhy() async throws {
        let b = try await Member(2) { _ in .refuse("another cluster: 17") }
        let a = try await Member(1)
        a.dial(b)
        #expect(await a.recorder.wait(for: .refused(b.id, reason: "another cluster: 17")))
        #expect(a.log.mentions("another cluster: 17"))
        #expect(b.log.mentions("another cluster: 17"))
        #expect(a.statistics(b.id).acceptedStreams == 0)
        await a.shutdown()
        await b.shutdown()
    }

    @Test func wireVersionsWithoutOverlapAreReported() async throws {
        let (a, b) = (
            try await Member(1, versions: WireVersions(3, 4)!), try await Member(2)
        )
        a.dial(b)
        let twice = { @Sendable in
            b.log.lines.filter { $0.contains("wire version 3 to 4") }.count >= 2
        }
        #expect(await eventually(twice))
        #expect(a.log.mentions("it speaks wire version 2, this replica 3 to 4"))
        #expect(b.recorder.events.isEmpty)
        #expect(a.recorder.events.isEmpty)
        await a.shutdown()
        await b.shutdown()
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\n\r\n", "HTTP"), ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP"),
        ("SYNOX", "does not speak"), ("SYNOD\u{0}\u{1}", "make no sense"),
    ])
    func strangersThatSpeakSomethingElseAreClosed(_ text: String, _ expected: String) async throws {
        let b = try await Member(2)
        let stranger = try await RawConnection.dial(b.address)
        try await stranger.write(Bytes(text.utf8))
        #expect(await stranger.waitForClose())
        #expect(b.log.mentions(expected))
        await b.shutdown()
    }

    @Test func aStrangerThatSaysNothingIsClosed() async throws {
        var limits = TransportLimits.quick
        limits.handshakeTimeout = .seconds(2)
        let b = try await Member(2, limits: limits) { _ in .silence }
        let silent = try await RawConnection.dial(b.address)
        let unanswered = try await RawConnection.dial(b.address)
        try await unanswered.write(Wire.preface + Wire.hello([1]))
        try #require(await b.recorder.wait(for: .hello([1])))
        #expect(await silent.waitForClose())
        #expect(await unanswered.waitForClose())
        #expect(b.log.mentions("took too long"))
        b.transport.accept(b.recorder.connections[0], as: PeerID(1), reply: [])
        #expect(
            await b.recorder.wait(for: .disconnected(PeerID(1), .inbound, reset: false)),
            "An acceptance that comes too late is answered with a loss.")
        await b.shutdown()
    }

    @Test func strangersAreLimitedInNumber() async throws {
        var limits = TransportLimits.quick
        limits.halfShaken = 3
        let b = try await Member(2, limits: limits) { hello in
            hello == [9] ? .accept(PeerID(9), reply: []) : .silence
        }
        var strangers: [RawConnection] = []
        for number in UInt8(0)..<3 {
            let stranger = try await RawConnection.dial(b.address)
            try await stranger.write(Wire.preface + Wire.hello([number]))
            try #require(await b.recorder.wait(for: .hello([number])))
            strangers.append(stranger)
        }
        let extra = try await RawConnection.dial(b.address)
        #expect(await extra.waitForClose())
        b.transport.accept(b.recorder.connections[1], as: PeerID(1), reply: [])
        let accepted = strangers[1]
        #expect(await eventually { accepted.received == Wire.accepted([]) })
        let next = try await RawConnection.dial(b.address)
        try await next.write(Wire.preface + Wire.hello([9]))
        #expect(await b.recorder.wait(for: .hello([9])), "An accepted stranger makes room.")
        await b.shutdown()
    }

    @Test func messagesBeforeTheAcceptanceAreAViolation() async throws {
        let b = try await Member(2) { _ in .silence }
        let stranger = try await RawConnection.dial(b.address)
        try await stranger.write(Wire.preface + Wire.hello([1]) + Wire.messages([[1]]))
        #expect(await stranger.waitForClose())
        #expect(b.log.mentions("out of turn"))
        #expect(b.recorder.messages(from: PeerID(1)).isEmpty)
        await b.shutdown()
    }

    @Test func anAddressInUseIsNamed() async throws {
        let b = try await Member(2)
        let error = await #expect(throws: TransportError.self) {
            _ = try await Member(3, port: b.address.port)
        }
        #expect(error?.description.contains("\(b.address)") == true)
        #expect(error?.description.contains("in use") == true)
        await b.shutdown()
    }
}
