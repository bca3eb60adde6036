import NIOCore
import SynodBytes
import SynodTransport
import Testing

@Suite struct StreamTests {
    @Test func messagesArriveInTheOrderTheyWereSent() async throws {
        let (a, b) = (try await Member(1), try await Member(2))
        #expect(await a.dialAndWait(b))
        let sent = (0..<2000).map { number in Bytes("message \(number)".utf8) }
        for start in stride(from: 0, to: sent.count, by: 7) {
            a.transport.send(Array(sent[start..<min(start + 7, sent.count)]), to: b.id)
        }
        #expect(await b.recorder.waitForMessages(sent.count, from: a.id))
        #expect(b.recorder.messages(from: a.id) == sent)
        let statistics = (a.statistics(b.id), b.statistics(a.id))
        let bytes = UInt64(sent.reduce(0) { $0 + $1.count })
        #expect(statistics.0.sentMessages == 2000)
        #expect(statistics.0.sentBytes == bytes)
        #expect(statistics.0.droppedMessages == 0)
        #expect(statistics.0.queuedBytes == 0)
        #expect(statistics.0.isReachable)
        #expect(statistics.1.receivedMessages == 2000)
        #expect(statistics.1.receivedBytes == bytes)
        #expect(statistics.1.isHeard)
        await a.shutdown()
        await b.shutdown()
    }

    @Test func aSmallBatchArrivesInOneCall() async throws {
        let (a, b) = (try await Member(1), try await Member(2))
        #expect(await a.dialAndWait(b))
        let batch = (0..<100).map { Bytes(repeating: UInt8($0), count: 20) } + [[]]
        a.transport.send(batch, to: b.id)
        #expect(await b.recorder.wait(for: .received(a.id, batch)))
        await a.shutdown()
        await b.shutdown()
    }

    @Test func largeMessagesArriveWhole() async throws {
        let (a, b) = (try await Member(1), try await Member(2))
        #expect(await a.dialAndWait(b))
        let sent = [1, 255 << 10, 3 << 20, 0, 1 << 20].enumerated().map { index, size in
            Bytes(repeating: UInt8(index), count: size)
        }
        a.transport.send(sent, to: b.id)
        #expect(await b.recorder.waitForMessages(sent.count, from: a.id))
        #expect(b.recorder.messages(from: a.id) == sent)
        await a.shutdown()
        await b.shutdown()
    }

    @Test func eachDirectionHasAStreamOfItsOwn() async throws {
        let (a, b) = (try await Member(1), try await Member(2))
        #expect(await a.dialAndWait(b))
        b.transport.send([[9]], to: a.id)
        #expect(!b.statistics(a.id).isReachable)
        #expect(b.statistics(a.id).isHeard)
        #expect(await b.dialAndWait(a))
        b.transport.send([[7]], to: a.id)
        #expect(await a.recorder.wait(for: .received(b.id, [[7]])))
        await a.shutdown()
        await b.shutdown()
    }

    @Test func messagesWithoutAStreamAreDroppedAndCounted() async throws {
        let a = try await Member(1)
        a.dial(PeerID(2), at: PeerAddress(host: "127.0.0.1", port: 1))
        a.transport.send([[1], [2], [3]], to: PeerID(2))
        #expect(a.statistics(PeerID(2)).droppedMessages == 3)
        #expect(a.statistics(PeerID(2)).queuedBytes == 0)
        await a.shutdown()
    }

    @Test func aMessageTooLargeForAFrameIsDropped() async throws {
        var limits = TransportLimits.quick
        limits.frameBytes = 1 << 20
        let (a, b) = (try await Member(1, limits: limits), try await Member(2, limits: limits))
        #expect(await a.dialAndWait(b))
        let largest = Bytes(repeating: 1, count: limits.messageBytes)
        a.transport.send([largest + [1], largest], to: b.id)
        #expect(await b.recorder.waitForMessages(1, from: a.id))
        #expect(b.recorder.messages(from: a.id) == [largest])
        #expect(a.statistics(b.id).droppedMessages == 1)
        await a.shutdown()
        await b.shutdown()
    }

    @Test func whatIsQueuedAtShutdownStillLeaves() async throws {
        let (a, b) = (try await Member(1), try await Member(2))
        #expect(await a.dialAndWait(b))
        a.transport.send((0..<500).map { _ in Bytes(repeating: 3, count: 1000) }, to: b.id)
        await a.shutdown()
        #expect(await b.recorder.waitForMessages(500, from: a.id))
        #expect(await b.recorder.wait(for: .disconnected(a.id, .inbound, reset: true)))
        #expect(!a.recorder.events.contains(.disconnected(b.id, .outbound, reset: true)))
        await b.shutdown()
    }

    @Test func aSlowReaderCostsBoundedMemoryAndNobodyElseTheirTime() async throws {
        var limits = TransportLimits.quick
        limits.queuedBytes = 4 << 20
        let (a, b) = (try await Member(1, limits: limits), try await Member(2))
        let (listener, address) = try await RawConnection.listen { connection in
            connection.channel.writeAndFlush(ByteBuffer(bytes: Wire.accepted([3])), promise: nil)
        }
        a.dial(PeerID(3), at: address)
        #expect(await a.recorder.wait(for: .accepted(PeerID(3), reply: [3])))
        #expect(await a.dialAndWait(b))
        for round in 0..<200 {
            a.transport.send(
                [Bytes](repeating: Bytes(repeating: 0, count: 64 << 10), count: 16), to: PeerID(3))
            #expect(a.statistics(PeerID(3)).queuedBytes <= limits.queuedBytes)
            if round % 20 == 0 { a.transport.send([[UInt8(round)]], to: b.id) }
        }
        #expect(await b.recorder.waitForMessages(10, from: a.id))
        #expect(a.statistics(PeerID(3)).droppedMessages > 1000)
        await a.shutdown()
        await b.shutdown()
        try await listener.close().get()
    }
}
