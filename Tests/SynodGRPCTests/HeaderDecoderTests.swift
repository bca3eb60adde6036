import NIOCore
import NIOHPACK
import SynodBytes
import SynodGRPC
import Testing

@Suite struct HeaderDecoderTests {
    private let methods = MethodTable(
        (0..<8).map { .init(path: "/package.Service/Method\($0)", requests: .single) })

    private func bytes(hex: String) -> [UInt8] {
        let digits = Array(hex.utf8).map { $0 < 0x3a ? $0 - 0x30 : $0 - 0x57 }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    private func decodeHuffman(_ bytes: [UInt8], limit: Int = 1_000) -> [UInt8]? {
        var text: [UInt8] = []
        let isValid = HuffmanCode.header.decode(
            bytes.span, bytes.indices, into: &text, limit: limit)
        return isValid ? text : nil
    }

    /// What the decoder says of a path: its number in the table, or the refusal that quotes it.
    private func path(_ head: RequestHead) -> String {
        do throws(RequestHead.Refusal) {
            return try "\(head.method(of: methods).rawValue)"
        } catch {
            return error.status.message
        }
    }

    private func expectedPath(_ text: String) -> String {
        let service = "/package.Service/"
        guard text.hasPrefix(service) else { return "malformed method name: \"\(text)\"" }
        let method = text.dropFirst(service.count)
        guard let number = method.last?.wholeNumberValue, number < 8 else {
            return "unknown method \(method) for service package.Service"
        }
        return "\(number)"
    }

    /// The strings of RFC 7541, appendix C.
    @Test(arguments: [
        ("f1e3c2e5f23a6ba0ab90f4ff", "www.example.com"),
        ("a8eb10649cbf", "no-cache"),
        ("25a849e95ba97d7f", "custom-key"),
        ("25a849e95bb8e8b4bf", "custom-value"),
        ("6402", "302"),
        ("640eff", "307"),
        ("aec3771a4b", "private"),
        ("d07abe941054d444a8200595040b8166e082a62d1bff", "Mon, 21 Oct 2013 20:13:21 GMT"),
        ("9d29ad171863c78f0b97c8e9ae82ae43d3", "https://www.example.com"),
        ("", ""),
    ])
    func huffmanTextIsRead(hex: String, text: String) {
        #expect(decodeHuffman(bytes(hex: hex)) == Array(text.utf8))
    }

    @Test(arguments: [
        "f1e3c2e5f23a6ba0ab90f4fe",  // padding that is not all ones
        "a8eb10649cbfff",  // a whole byte of padding
        "ff", "ffffffff",  // nothing but padding; the end of the string within the string
        "00",  // a zero bit after the symbol
    ])
    func badHuffmanTextIsNot(hex: String) {
        #expect(decodeHuffman(bytes(hex: hex)) == nil)
    }

    @Test func huffmanTextIsNoLongerThanItsLimit() {
        #expect(decodeHuffman(bytes(hex: "6402"), limit: 3) != nil)
        #expect(decodeHuffman(bytes(hex: "6402"), limit: 2) == nil)
    }

    /// The requests of RFC 7541, appendix C.4, which refer to each other's fields.
    @Test func theExamplesOfTheRFCAreRead() throws {
        var decoder = HeaderDecoder(methods: methods, listLimit: 1_000)
        for hex in [
            "828684418cf1e3c2e5f23a6ba0ab90f4ff", "828684be5886a8eb10649cbf",
            "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
        ] {
            let head = try decoder.decode(ByteBuffer(bytes: bytes(hex: hex)))
            #expect(path(head) == "http2Server: received a HEADERS frame with :method \"GET\"")
        }
        // The dynamic table now ends with its third entry.
        _ = try decoder.decode(ByteBuffer(bytes: [0xc0]))
        #expect(throws: ConnectionError.self) { try decoder.decode(ByteBuffer(bytes: [0xc1])) }
    }

    @Test(arguments: [
        [0x80], [0xff, 0x80, 0x80, 0x80, 0x80, 0x00], [0xff], [0xff, 0x80], [0xc6],  // indices
        [0x40], [0x00], [0x40, 0x01], [0x40, 0x7f], [0x04, 0x02, 0x61], [0x44],  // cut off
        [0x3f, 0xe2, 0x1f],  // a table of 4,097 bytes
        [0x82, 0x20],  // a new size behind a field
        [0x04, 0x81, 0x00],  // bad Huffman text
    ])
    func malformedBlocksAreRefused(block: [Int]) {
        var decoder = HeaderDecoder(methods: methods, listLimit: 1_000)
        let error = #expect(throws: ConnectionError.self) {
            try decoder.decode(ByteBuffer(bytes: block.map { UInt8($0) }))
        }
        #expect(error?.code == .compression)
    }

    @Test func theSizeOfAListIsBounded() throws {
        var decoder = HeaderDecoder(methods: methods, listLimit: 100)
        // 42 bytes each, as a list counts them.
        let fields = [UInt8](repeating: 0x82, count: 2)
        _ = try decoder.decode(ByteBuffer(bytes: fields))
        let error = #expect(throws: ConnectionError.self) {
            try decoder.decode(ByteBuffer(bytes: fields + [0x82]))
        }
        #expect(error?.code == .enhanceYourCalm)
    }

    /// A long conversation with another encoder, whose table changes its size, evicts, and empties.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func agreesWithAnotherEncoder(seed: UInt64) throws {
        var random = PRNG(seed: seed)
        var encoder = HPACKEncoder(
            allocator: ByteBufferAllocator(), useHuffmanEncoding: seed % 2 == 0)
        var decoder = HeaderDecoder(methods: methods, listLimit: 1 << 16)
        for _ in 0..<300 {
            if random.next() % 20 == 0 {
                try encoder.setDynamicTableSize(Int(random.next() % 4_097))
            }
            let text =
                random.next() % 2 == 0
                ? "/package.Service/Method\(random.next() % 10)" : randomText(&random)
            var headers = HPACKHeaders([
                (":method", "POST"), (":path", text), ("content-type", "application/grpc"),
            ])
            let milliseconds = random.next() % 50
            headers.add(name: "grpc-timeout", value: "\(milliseconds)m")
            for _ in 0..<random.next() % 6 {
                headers.add(
                    name: "name-\(random.next() % 30)", value: randomText(&random),
                    indexing: random.next() % 4 == 0 ? .nonIndexable : .indexable)
            }
            try encoder.beginEncoding(allocator: ByteBufferAllocator())
            try encoder.append(headers: headers)
            let head = try decoder.decode(encoder.endEncoding())
            #expect(path(head) == expectedPath(text))
            #expect(head.timeout == .milliseconds(Int64(milliseconds)))
        }
    }

    /// Text of all kinds of characters, without a slash in front.
    private func randomText(_ random: inout PRNG) -> String {
        let longest: UInt64 = random.next() % 20 == 0 ? 3_000 : 40
        var text = "x"
        for _ in 0..<random.next() % longest {
            let isASCII = random.next() % 4 > 0
            let scalar = UInt32(random.next() % (isASCII ? 0x7f : 0xd7ff))
            text.unicodeScalars.append(Unicode.Scalar(scalar) ?? "?")
        }
        return text
    }

    /// Random bytes are refused or read, and nothing else happens.
    @Test func randomBlocksNeverCrash() {
        var random = PRNG(seed: 3)
        for _ in 0..<3_000 {
            var decoder = HeaderDecoder(methods: methods, listLimit: 500)
            for _ in 0..<10 {
                let block = (0..<random.next() % 60).map { _ in
                    UInt8(truncatingIfNeeded: random.next())
                }
                _ = try? decoder.decode(ByteBuffer(bytes: block))
            }
        }
    }
}
