import NIOCore
import SynodBytes
import SynodTransport
import Testing

@Suite struct LaneTests {
    @Test func eachLaneKeepsItsOrder() async throws {
        let (a, b) = (try await Member(1), try await Member(2))
        #expect(await a.dialAndWait(b))
        #expect(await eventually { a.statistics(b.id).hasOutboundBulk })
        let small = (0..<500).map { Bytes("small \($0)".utf8) }
        let large = (0..<500).map { Bytes(repeating: UInt8($0 % 251), count: 9000 + $0) }
        for (one, other) in zip(small, large) {
            a.transport.send([one], to: b.id)
            a.transport.send([other], to: b.id, in: .bulk)
        }
        #expect(await b.recorder.waitForMessages(1000, from: a.id))
        let received = b.recorder.messages(from: a.id)
        #expect(received.filter { $0.count < 9000 } == small)
        #expect(received.filter { $0.count >= 9000 } == large)
        #expect(b.recorder.events.count { $0 == .hello([1]) } == 1, "The owner is asked once.")
        #expect(b.statistics(a.id).hasInboundBulk)
        #expect(a.statistics(b.id).sentMessages == 1000)
        #expect(a.statistics(b.id).acceptedStreams == 1)
        await a.shutdown()
        await b.shutdown()
    }

    @Test func whatIsSmallDoesNotStandBehindBulk() async throws {
        var limits = TransportLimits.quick
        limits.queuedBytes = 4 << 20
        let (a, peer) = (try await Member(1, limits: limits), try await RawPeer())
        a.dial(RawPeer.id, at: peer.address)
        let prompt = try #require(try await peer.accept(0))
        _ = try #require(try await peer.accept(1, reads: false))
        #expect(await eventually { a.statistics(RawPeer.id).hasOutboundBulk })
        for _ in 0..<200 {
            a.transport.send([Bytes(repeating: 0, count: 1 << 20)], to: RawPeer.id, in: .bulk)
        }
        #expect(a.statistics(RawPeer.id).droppedMessages > 100, "The queue is bounded.")
        #expect(a.statistics(RawPeer.id).queuedBytes <= limits.queuedBytes)
        a.transport.send([[7]], to: RawPeer.id)
        let sent = Wire.preface + Wire.hello([1]) + Wire.messages([[7]])
        #expect(await eventually { prompt.received == sent })
        await a.shutdown()
        try await peer.close()
    }

    @Test func withoutABulkStreamBulkTakesTheOther() async throws {
        let (a, peer) = (try await Member(1), try await RawPeer())
        a.dial(RawPeer.id, at: peer.address)
        let prompt = try #require(try await peer.accept(0))
        #expect(await a.recorder.wait(for: .accepted(RawPeer.id, reply: [9])))
        let large = Bytes(repeating: 1, count: 9000)
        a.transport.send([large], to: RawPeer.id, in: .bulk)
        let sent = Wire.preface + Wire.hello([1]) + Wire.messages([large])
        #expect(await eventually { prompt.received == sent })
        await a.shutdown()
        try await peer.close()
    }

    @Test func aBulkStreamThatBreaksIsMadeAnewAndNobodyIsLost() async throws {
        let (a, peer) = (try await Member(1), try await RawPeer())
        a.dial(RawPeer.id, at: peer.address)
        let prompt = try #require(try await peer.accept(0))
        let first = try #require(try await peer.accept(1))
        #expect(await eventually { a.statistics(RawPeer.id).hasOutboundBulk })
        try await first.reset()
        let second = try #require(try await peer.accept(2))
        #expect(await eventually { second.received == Wire.preface + Wire.join([1]) })
        #expect(await eventually { a.statistics(RawPeer.id).hasOutboundBulk })
        a.transport.send([[3]], to: RawPeer.id, in: .bulk)
        let sent = Wire.preface + Wire.join([1]) + Wire.messages([[3]])
        #expect(await eventually { second.received == sent })
        #expect(prompt.received == Wire.preface + Wire.hello([1]))
        #expect(a.recorder.events == [.accepted(RawPeer.id, reply: [9])])
        await a.shutdown()
        try await peer.close()
    }

    @Test func bulkEndsWithItsStreamAndComesBackWithTheNext() async throws {
        let (a, b) = (try await Member(1), try await Member(2))
        #expect(await a.dialAndWait(b))
        #expect(await eventually { a.statistics(b.id).hasOutboundBulk })
        let newer = try await RawConnection.dial(b.address)
        try await newer.write(Wire.preface + Wire.hello([1]))
        #expect(await a.recorder.wait(for: .disconnected(b.id, .outbound, reset: true)))
        #expect(await newer.waitForClose(), "The member dials again.")
        #expect(await a.recorder.wait { $0.count { $0 == .accepted(b.id, reply: [2]) } == 2 })
        #expect(await eventually { a.statistics(b.id).hasOutboundBulk })
        a.transport.send([[5]], to: b.id, in: .bulk)
        #expect(await b.recorder.wait(for: .received(a.id, [[5]])))
        await a.shutdown()
        #expect(await eventually { !b.statistics(a.id).hasInboundBulk })
        await b.shutdown()
    }

    @Test func nobodyJoinsAStreamThatIsNotThere() async throws {
        let b = try await Member(2)
        let stranger = try await RawConnection.dial(b.address)
        try await stranger.write(Wire.preface + Wire.join([1]) + Wire.messages([[1]]))
        #expect(await stranger.waitForClose())
        #expect(b.recorder.events.isEmpty)
        await b.shutdown()
    }

    @Test func aNewerBulkStreamReplacesTheOlder() async throws {
        let b = try await Member(2)
        let prompt = try await RawConnection.dial(b.address)
        try await prompt.write(Wire.preface + Wire.hello([1]))
        #expect(await eventually { prompt.received == Wire.accepted([2]) })
        let (older, newer) = (
            try await RawConnection.dial(b.address), try await RawConnection.dial(b.address)
        )
        try await older.write(Wire.preface + Wire.join([1]))
        #expect(await eventually { older.received == Wire.accepted([]) })
        try await newer.write(Wire.preface + Wire.join([1]))
        #expect(await older.waitForClose())
        try await newer.write(Wire.messages([[5]]))
        #expect(await b.recorder.wait(for: .received(PeerID(1), [[5]])))
        try await prompt.close()
        #expect(await newer.waitForClose())
        #expect(await b.recorder.wait(for: .disconnected(PeerID(1), .inbound, reset: true)))
        await b.shutdown()
    }
}
