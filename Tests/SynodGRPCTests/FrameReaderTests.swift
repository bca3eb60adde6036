import NIOCore
import SynodBytes
import SynodGRPC
import Testing

@Suite struct FrameReaderTests {
    private struct Expected: Equatable {
        let kind: FrameHeader.Kind?
        let flags: UInt8
        let stream: UInt32
        let payload: [UInt8]
    }

    private func read(_ pieces: [[UInt8]]) throws -> [Expected] {
        var reader = FrameReader()
        var frames: [Expected] = []
        for piece in pieces {
            reader.append(ByteBuffer(bytes: piece))
            while let frame = try reader.next() {
                frames.append(
                    Expected(
                        kind: frame.header.kind, flags: frame.header.flags.rawValue,
                        stream: frame.header.streamID.rawValue,
                        payload: Array(frame.payload.readableBytesView)))
            }
            reader.ownRest()
        }
        return frames
    }

    /// Frames come out the same however the bytes are cut, kinds that nobody knows included.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func framesDoNotDependOnTheReads(seed: UInt64) throws {
        var random = PRNG(seed: seed)
        var bytes = RawClient.preface
        var expected: [Expected] = []
        for _ in 0..<30 {
            let kind = UInt8(random.next() % 12)
            let length = random.next() % 10 == 0 ? 16_384 : Int(random.next() % 40)
            let payload = (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            let stream = UInt32(truncatingIfNeeded: random.next())
            let flags = UInt8(truncatingIfNeeded: random.next())
            bytes += frame(kind: kind, flags: flags, on: stream, payload: payload)
            expected.append(
                Expected(
                    kind: FrameHeader.Kind(rawValue: kind), flags: flags,
                    stream: stream & 0x7fff_ffff, payload: payload))
        }
        #expect(try read([bytes]) == expected)
        #expect(try read(bytes.map { [$0] }) == expected)
        #expect(try read(randomPieces(of: bytes, longest: 50, &random)) == expected)
        #expect(try read(randomPieces(of: bytes, longest: 20_000, &random)) == expected)
    }

    @Test func aFrameThatIsTooLargeIsRefusedByItsHeader() throws {
        let header: [UInt8] = [0x00, 0x40, 0x01, 0, 0, 0, 0, 0, 1]
        #expect(throws: ConnectionError.self) { try read([RawClient.preface + header]) }
        #expect(try read([RawClient.preface + header.dropLast()]).isEmpty)
    }

    @Test(arguments: RawClient.preface.indices)
    func aWrongPrefaceIsRefusedAtItsFirstWrongByte(index: Int) throws {
        var preface = RawClient.preface
        preface[index] ^= 1
        #expect(try read([Array(preface[..<index])]).isEmpty)
        #expect(throws: ConnectionError.self) { try read([Array(preface[...index])]) }
    }
}
