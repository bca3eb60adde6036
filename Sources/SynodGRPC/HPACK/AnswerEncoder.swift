package import NIOCore

/// The HTTP statuses that a server of gRPC has a use for.
package enum HTTPStatus: String, Sendable {
    case ok = "200"
    case badRequest = "400"
    case methodNotAllowed = "405"
    case unsupportedMediaType = "415"
}

/// Writes the header blocks of answers (RFC 7541).
///
/// Nearly all answers have the same two blocks. Their two fields that are not in HPACK's static
/// table are put into the dynamic one by the first answer that has them, and are one byte from then
/// on. Nothing else is ever put there.
package struct AnswerEncoder {
    /// The bytes of the blocks of an ordinary answer, once both fields are in the table: its start
    /// is `status` and `contentType`, its end is `ok`.
    package struct Repeated {
        package let status = AnswerEncoder.status200
        package let contentType: UInt8
        package let ok: UInt8
    }

    /// The index of `:status: 200` as a field of its own (RFC 7541, section 6.1).
    private static let status200: UInt8 = 0x88
    /// The name `content-type` in the static table, and the newest entry of the dynamic one.
    private static let contentTypeName: UInt8 = 31
    private static let newestIndex: UInt8 = 62

    private static let contentType = Array("application/grpc".utf8)
    private static let statusName = Array("grpc-status".utf8)
    private static let messageName = Array("grpc-message".utf8)
    /// Both fields as the table counts them (RFC 7541, section 4.1).
    private static let sizeNeeded = (12 + 16 + 32) + (11 + 1 + 32)
    private static let usualSize = 4_096
    /// Keeps a block within the smallest frame that every peer takes, even if every byte of the
    /// message becomes three.
    private static let longestMessage = 4_096

    /// The places of the fields in the dynamic table, as their indices; nil when absent.
    private var contentTypeIndex: UInt8?
    private var okIndex: UInt8?
    /// The size of the table that the peer knows of.
    private var tableSize = usualSize
    /// The smallest size that the peer wanted since the last block, and the last one.
    private var wanted: (smallest: Int, last: Int)?
    package private(set) var repeated: Repeated?

    package init() {}

    /// The peer changes what its table may hold, which the next block has to confirm (RFC 7541,
    /// section 4.2). We use no more than the usual size, and nothing of one that is too small.
    package mutating func peerAllows(tableSize: Int) {
        let size = tableSize < Self.sizeNeeded ? 0 : min(tableSize, Self.usualSize)
        wanted = (min(wanted?.smallest ?? size, size), size)
        repeated = nil
    }

    /// The block that begins an ordinary answer.
    package mutating func writeStart(into output: inout ByteBuffer) {
        confirmSize(into: &output)
        output.writeInteger(Self.status200)
        writeContentType(into: &output)
        noteRepeated()
    }

    /// The trailers of an answer.
    package mutating func writeEnd(_ status: Status, into output: inout ByteBuffer) {
        confirmSize(into: &output)
        writeStatus(status, into: &output)
        noteRepeated()
    }

    /// An answer that consists of nothing but headers.
    package mutating func writeRefusal(
        _ status: Status, httpStatus: HTTPStatus, into output: inout ByteBuffer
    ) {
        confirmSize(into: &output)
        switch httpStatus {
        case .ok:
            output.writeInteger(Self.status200)
        case .badRequest, .methodNotAllowed, .unsupportedMediaType:
            output.writeInteger(Self.status200 & 0x0f)
            output.writeHeaderString(Array(httpStatus.rawValue.utf8))
        }
        writeContentType(into: &output)
        writeStatus(status, into: &output)
        noteRepeated()
    }

    private mutating func writeContentType(into output: inout ByteBuffer) {
        if let contentTypeIndex {
            output.writeInteger(0x80 | contentTypeIndex)
            return
        }
        if tableSize > 0 {
            output.writeInteger(0x40 | Self.contentTypeName)
            okIndex = okIndex.map { $0 + 1 }
            contentTypeIndex = Self.newestIndex
        } else {
            output.writeHeaderInteger(Int(Self.contentTypeName), prefixBits: 4, first: 0)
        }
        output.writeHeaderString(Self.contentType)
    }

    private mutating func writeStatus(_ status: Status, into output: inout ByteBuffer) {
        if status == .ok {
            writeOK(into: &output)
            return
        }
        output.writeInteger(UInt8(0))
        output.writeHeaderString(Self.statusName)
        output.writeHeaderString(Array(String(status.code.rawValue).utf8))
        guard !status.message.isEmpty else { return }
        let message = String(
            decoding: status.message.utf8.prefix(Self.longestMessage), as: UTF8.self)
        output.writeInteger(UInt8(0))
        output.writeHeaderString(Self.messageName)
        output.writeHeaderString(Array(PercentEncoding.encode(message).utf8))
    }

    private mutating func writeOK(into output: inout ByteBuffer) {
        if let okIndex {
            output.writeInteger(0x80 | okIndex)
            return
        }
        if tableSize > 0 {
            output.writeInteger(UInt8(0x40))
            contentTypeIndex = contentTypeIndex.map { $0 + 1 }
            okIndex = Self.newestIndex
        } else {
            output.writeInteger(UInt8(0))
        }
        output.writeHeaderString(Self.statusName)
        output.writeHeaderString([UInt8(ascii: "0")])
    }

    private mutating func noteRepeated() {
        guard repeated == nil, let contentTypeIndex, let okIndex else { return }
        repeated = Repeated(contentType: 0x80 | contentTypeIndex, ok: 0x80 | okIndex)
    }

    /// Tells the smallest size that the table had since the last block, then the present one.
    private mutating func confirmSize(into output: inout ByteBuffer) {
        guard let wanted else { return }
        self.wanted = nil
        if wanted.smallest < tableSize { tell(wanted.smallest, into: &output) }
        if wanted.last != tableSize { tell(wanted.last, into: &output) }
    }

    private mutating func tell(_ size: Int, into output: inout ByteBuffer) {
        tableSize = size
        output.writeHeaderInteger(size, prefixBits: 5, first: 0x20)
        guard size == 0 else { return }
        contentTypeIndex = nil
        okIndex = nil
    }
}

extension ByteBuffer {
    /// Writes an integer whose first bits share a byte with `first` (RFC 7541, section 5.1).
    fileprivate mutating func writeHeaderInteger(_ value: Int, prefixBits: Int, first: UInt8) {
        let largestPrefix = 1 << prefixBits - 1
        guard value >= largestPrefix else {
            writeInteger(first | UInt8(value))
            return
        }
        writeInteger(first | UInt8(largestPrefix))
        var rest = value - largestPrefix
        while rest >= 0x80 {
            writeInteger(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        writeInteger(UInt8(rest))
    }

    /// Writes a string as it is (RFC 7541, section 5.2).
    fileprivate mutating func writeHeaderString(_ text: [UInt8]) {
        writeHeaderInteger(text.count, prefixBits: 7, first: 0)
        writeBytes(text)
    }
}
