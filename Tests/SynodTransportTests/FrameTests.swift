import NIOCore
import SynodBytes
import SynodTransport
import Testing

@Suite struct FrameTests {
    /// Parses everything in pieces of random size.
    private func parse(_ bytes: Bytes, prng: inout PRNG) throws(ProtocolViolation)
        -> (frames: [Frame], messages: [Bytes], held: Int)
    {
        var parser = FrameParser(largestPayload: 1 << 20)
        var (frames, messages): ([Frame], [Bytes]) = ([], [])
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + Int(prng.within(1...300)))
            parser.feed(ByteBuffer(bytes: bytes[start..<end]))
            while let frame = try parser.nextFrame(into: &messages) { frames.append(frame) }
            parser.settle()
            start = end
        }
        return (frames, messages, parser.heldBytes)
    }

    @Test(arguments: UInt64(1)...20)
    func whatIsWrittenIsReadInWhateverPieces(seed: UInt64) throws {
        var prng = PRNG(seed: seed)
        var limits = TransportLimits()
        limits.batchBytes = 2000
        let sent = (0..<200).map { _ in
            Bytes(
                repeating: UInt8(prng.below(256)),
                count: Int(prng.below(prng.chance(1, in: 20) ? 5000 : 100)))
        }
        var buffer = ByteBuffer()
        buffer.writeHandshakeFrame(.hello([1, 2]))
        buffer.writeHandshakeFrame(.accepted(version: 3, reply: [4]))
        buffer.writeHandshakeFrame(.refused(reason: "nein"))
        buffer.writeHandshakeFrame(.incompatible(WireVersions(2, 4)!))
        buffer.writeHandshakeFrame(.join([5]))
        var next = 0
        while next < sent.count {
            next = buffer.writeMessageFrame(sent, from: next, limits: limits)
        }
        let parsed = try parse(Bytes(buffer.readableBytesView), prng: &prng)
        #expect(parsed.messages == sent)
        #expect(
            parsed.frames.prefix(5) == [
                .hello([1, 2]), .accepted(version: 3, reply: [4]), .refused(reason: "nein"),
                .incompatible(WireVersions(2, 4)!), .join([5]),
            ])
        #expect(parsed.frames.count > 9)
        #expect(parsed.frames.dropFirst(5).allSatisfy { $0 == .messages })
        #expect(parsed.held == 0)
    }

    @Test func aFlippedBitAnywhereInAFrameIsNoticed() throws {
        var buffer = ByteBuffer()
        _ = buffer.writeMessageFrame([[1, 2, 3], [4, 5]], from: 0, limits: TransportLimits())
        let good = Bytes(buffer.readableBytesView)
        var prng = PRNG(seed: 1)
        for bit in 0..<good.count * 8 {
            var bad = good
            bad[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: ProtocolViolation.self) { try parse(bad, prng: &prng) }
        }
    }

    @Test(arguments: UInt64(1)...50)
    func noiseIsRefusedOrAwaitsMoreAndNeverTraps(seed: UInt64) {
        var prng = PRNG(seed: seed)
        for _ in 0..<50 {
            let noise = (0..<prng.below(200)).map { _ in UInt8(prng.below(256)) }
            let framed = Wire.frame(UInt8(prng.below(8)), noise)
            _ = try? parse(noise, prng: &prng)
            _ = try? parse(framed, prng: &prng)
        }
    }

    @Test func overlappingWireVersionsMeetAtTheNewest() throws {
        let ours = WireVersions(1, 3)!
        #expect(ours.newestCommon(with: WireVersions(2, 9)!) == 3)
        #expect(ours.newestCommon(with: WireVersions(1, 2)!) == 2)
        #expect(ours.newestCommon(with: WireVersions(4, 9)!) == nil)
        #expect(WireVersions(0, 1) == nil)
        #expect(WireVersions(3, 2) == nil)
    }

    @Test func waitsGrowToTheirLimitAndStartOver() {
        var backoff = Backoff(limits: TransportLimits(), seed: 7)
        let waits = (0..<12).map { _ in backoff.next() }
        #expect(waits[0] <= .milliseconds(10))
        #expect(waits[0] >= .milliseconds(5))
        #expect(waits[11] <= .seconds(1))
        #expect(waits[11] >= .milliseconds(500))
        backoff.reset()
        #expect(backoff.next() <= .milliseconds(10))
        backoff.exhaust()
        #expect(backoff.next() >= .milliseconds(500))
    }
}
