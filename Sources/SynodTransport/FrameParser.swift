package import NIOCore
package import SynodBytes

/// Cuts a stream of bytes into frames, wherever the reads happen to split it.
///
/// A message is copied once, from the read buffer into its own array. What is left of a read is
/// copied out, so that the event loop can use its read buffer again.
package struct FrameParser {
    /// Largest payload taken; a longer one is refused by its header alone.
    package var largestPayload: Int
    private var buffer = ByteBuffer()
    /// Whether `buffer` is still the event loop's own read buffer.
    private var isBorrowed = false

    package init(largestPayload: Int) {
        self.largestPayload = largestPayload
    }

    /// Bytes held that no frame has used yet.
    package var heldBytes: Int { buffer.readableBytes }

    /// Takes what was read. Call ``settle()`` after the last frame was taken out of it.
    package mutating func feed(_ input: ByteBuffer) {
        if buffer.readableBytes == 0 {
            buffer = input
            isBorrowed = true
        } else {
            buffer.writeImmutableBuffer(input)
        }
    }

    /// Lets go of what was consumed and keeps the start of the next frame in memory of our own.
    package mutating func settle() {
        if buffer.readableBytes == 0 {
            buffer = ByteBuffer()
        } else if isBorrowed {
            buffer = ByteBuffer(bytes: buffer.readableBytesView)
        } else {
            buffer.discardReadBytes()
        }
        isBorrowed = false
    }

    /// The connection's first bytes; nil until all have come.
    package mutating func nextPreface() throws(ProtocolViolation) -> WireVersions? {
        try WireVersions.readPreface(from: &buffer)
    }

    /// The next complete frame; nil until more bytes have come. Of a frame of messages, these
    /// are appended to `messages`.
    package mutating func nextFrame(into messages: inout [Bytes]) throws(ProtocolViolation)
        -> Frame?
    {
        guard
            let length = buffer.getInteger(
                at: buffer.readerIndex, endianness: .little, as: UInt32.self),
            let crc = buffer.getInteger(
                at: buffer.readerIndex + 4, endianness: .little, as: UInt32.self),
            let headerCRC = buffer.getInteger(
                at: buffer.readerIndex + 8, endianness: .little, as: UInt32.self)
        else { return nil }
        guard headerCRC == buffer.frameHeaderChecksum(at: buffer.readerIndex) else {
            throw ProtocolViolation("a frame's header fails its checksum")
        }
        guard length > 0 else { throw ProtocolViolation("a frame is empty") }
        guard UInt64(length) <= UInt64(largestPayload) else {
            throw ProtocolViolation(
                "a frame of \(length) bytes is announced and \(largestPayload) are allowed")
        }
        let end = Frame.headerBytes + Int(length)
        guard buffer.readableBytes >= end else { return nil }
        let result = buffer.withUnsafeReadableBytes {
            readable -> Result<Frame, ProtocolViolation> in
            let payload = UnsafeRawBufferPointer(rebasing: readable[Frame.headerBytes..<end])
            return Result { () throws(ProtocolViolation) in
                try Self.decode(payload, crc: crc, into: &messages)
            }
        }
        buffer.moveReaderIndex(forwardBy: end)
        return try result.get()
    }

    private static func decode(
        _ payload: UnsafeRawBufferPointer, crc: UInt32, into messages: inout [Bytes]
    ) throws(ProtocolViolation) -> Frame {
        var check = CRC32C()
        check.update(payload)
        guard check.value == crc else {
            throw ProtocolViolation("a frame of \(payload.count) bytes fails its checksum")
        }
        let rest = UnsafeRawBufferPointer(rebasing: payload[1...])
        switch payload[0] {
        case Frame.Kind.hello:
            return .hello(Bytes(rest))
        case Frame.Kind.accepted:
            guard rest.count >= 1 else { throw ProtocolViolation("an acceptance is cut off") }
            return .accepted(version: rest[0], reply: Bytes(rest[1...]))
        case Frame.Kind.refused:
            return .refused(reason: String(decoding: rest, as: UTF8.self))
        case Frame.Kind.incompatible:
            guard rest.count == 2, let versions = WireVersions(rest[0], rest[1]) else {
                throw ProtocolViolation("a range of wire versions is malformed")
            }
            return .incompatible(versions)
        case Frame.Kind.join:
            return .join(Bytes(rest))
        case Frame.Kind.messages:
            try split(rest, into: &messages)
            return .messages
        case let kind:
            throw ProtocolViolation("a frame is of the unknown kind \(kind)")
        }
    }

    private static func split(
        _ payload: UnsafeRawBufferPointer, into messages: inout [Bytes]
    ) throws(ProtocolViolation) {
        var index = 0
        var room = Frame.largestBatch
        while index < payload.count {
            guard room > 0 else { throw ProtocolViolation("a frame holds too many messages") }
            room -= 1
            var count = 0
            var shift = 0
            while true {
                guard index < payload.count, shift < 35 else {
                    throw ProtocolViolation("a message's length is malformed")
                }
                let byte = payload[index]
                index += 1
                count |= Int(byte & 0x7f) << shift
                shift += 7
                if byte < 0x80 { break }
            }
            guard count <= payload.count - index else {
                throw ProtocolViolation("a message reaches beyond its frame")
            }
            messages.append(Bytes(UnsafeRawBufferPointer(rebasing: payload[index..<index + count])))
            index += count
        }
    }
}
