import NIOCore
import NIOHPACK
import SynodBytes
import SynodGRPC
import Testing

@Suite struct AnswerEncoderTests {
    private func write(_ body: (inout ByteBuffer) -> Void) -> ByteBuffer {
        var buffer = ByteBuffer()
        body(&buffer)
        return buffer
    }

    @Test func fieldsAreOneByteOnceTheyAreKnown() throws {
        var encoder = AnswerEncoder()
        var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
        #expect(encoder.repeated == nil)
        for round in 0..<3 {
            var start = write { encoder.writeStart(into: &$0) }
            var end = write { encoder.writeEnd(.ok, into: &$0) }
            #expect(start.readableBytes == (round == 0 ? 19 : 2))
            #expect(end.readableBytes == (round == 0 ? 15 : 1))
            #expect(
                try decoder.decodeHeaders(from: &start)
                    == [":status": "200", "content-type": "application/grpc"])
            #expect(try decoder.decodeHeaders(from: &end) == ["grpc-status": "0"])
        }
        let repeated = try #require(encoder.repeated)
        var block = write {
            $0.writeBytes([repeated.status, repeated.contentType, repeated.ok])
        }
        #expect(
            try decoder.decodeHeaders(from: &block)
                == [":status": "200", "content-type": "application/grpc", "grpc-status": "0"])
    }

    /// Whatever the peer does with its table, and in whatever order answers begin and end, another
    /// decoder reads what was meant.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func agreesWithAnotherDecoder(seed: UInt64) throws {
        var random = PRNG(seed: seed)
        var encoder = AnswerEncoder()
        var decoder = HPACKDecoder(allocator: ByteBufferAllocator())
        for _ in 0..<300 {
            for _ in 0..<random.next() % 3 where random.next() % 5 == 0 {
                let size = [0, 50, 103, 104, 200, 4_096, 10_000, 1 << 30].randomElement(&random)
                encoder.peerAllows(tableSize: size)
                decoder.maxDynamicTableLength = size
            }
            let expected: HPACKHeaders
            var block: ByteBuffer
            let status =
                random.next() % 3 > 0 ? Status.ok : Status(.invalidArgument, "no \(random.next())")
            switch random.next() % 3 {
            case 0:
                expected = [":status": "200", "content-type": "application/grpc"]
                block = write { encoder.writeStart(into: &$0) }
            case 1:
                expected = headers([], status)
                block = write { encoder.writeEnd(status, into: &$0) }
            default:
                let code = [HTTPStatus.ok, .badRequest, .unsupportedMediaType]
                    .randomElement(&random)
                expected = headers(
                    [(":status", code.rawValue), ("content-type", "application/grpc")], status)
                block = write { encoder.writeRefusal(status, httpStatus: code, into: &$0) }
            }
            #expect(try decoder.decodeHeaders(from: &block) == expected)
        }
    }

    private func headers(_ first: [(String, String)], _ status: Status) -> HPACKHeaders {
        var headers = HPACKHeaders(first)
        headers.add(name: "grpc-status", value: "\(status.code.rawValue)")
        if !status.message.isEmpty { headers.add(name: "grpc-message", value: status.message) }
        return headers
    }

    @Test func theLongestBlockFitsAFrame() {
        var encoder = AnswerEncoder()
        let status = Status(.unimplemented, String(repeating: "é", count: 100_000))
        let block = write { encoder.writeRefusal(status, httpStatus: .ok, into: &$0) }
        #expect(block.readableBytes <= FrameHeader.largestPayload)
    }
}

extension Array {
    fileprivate func randomElement(_ random: inout PRNG) -> Element {
        self[Int(random.next() % UInt64(count))]
    }
}
