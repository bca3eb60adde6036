package import NIOCore

/// Cuts gRPC messages (a flag byte, a big-endian length of four bytes, the message) out of a
/// stream's DATA frames, wherever the frames happen to end.
package struct MessageAssembler {
    package enum Next {
        /// The next message ends in a frame that has not come yet.
        case incomplete
        case message(ByteBuffer)
        case refused(Status)
    }

    /// Length of the prefix of every message, in bytes.
    package static let prefixBytes = 5

    private var buffer = ByteBuffer()
    /// Whether `buffer` is a copy of our own, which grows in place.
    private var isOwned = false

    package init() {}

    /// Bytes held of messages that are not complete.
    package var heldBytes: Int { buffer.readableBytes }

    package mutating func append(_ data: ByteBuffer) {
        if buffer.readableBytes == 0 {
            buffer = data
            isOwned = false
        } else {
            buffer.writeImmutableBuffer(data)
        }
    }

    /// Takes the next complete message out. Call it until it says `incomplete` or refuses; after a
    /// refusal the stream has no meaning any more.
    package mutating func next(limit: Int) -> Next {
        let start = buffer.readerIndex
        guard
            let flag = buffer.getInteger(at: start, as: UInt8.self),
            let length = buffer.getInteger(at: start + 1, as: UInt32.self)
        else {
            return .incomplete
        }
        if flag > 1 {
            return .refused(
                Status(.internal, "grpc: received unexpected payload format \(flag)"))
        }
        if flag == 1 {
            return .refused(
                Status(.unimplemented, "grpc: Decompressor is not installed for grpc-encoding"))
        }
        if Int(length) > limit {
            return .refused(
                Status(
                    .resourceExhausted,
                    "grpc: received message larger than max (\(length) vs. \(limit))"))
        }
        guard buffer.readableBytes >= Self.prefixBytes + Int(length) else { return .incomplete }
        buffer.moveReaderIndex(forwardBy: Self.prefixBytes)
        guard let message = buffer.readSlice(length: Int(length)) else { return .incomplete }
        if buffer.readableBytes == 0 { buffer = ByteBuffer() }
        return .message(message)
    }

    /// Copies what is held, so that a few bytes do not keep a whole read of the socket alive. What is
    /// a copy already is not copied again: a large message may come in very small frames.
    package mutating func ownHeldBytes() {
        guard buffer.readableBytes > 0, !isOwned else { return }
        isOwned = true
        var copy = ByteBufferAllocator().buffer(capacity: 2 * buffer.readableBytes)
        copy.writeImmutableBuffer(buffer)
        buffer = copy
    }

    package mutating func removeAll() {
        buffer = ByteBuffer()
    }
}

extension ByteBuffer {
    /// Appends a gRPC message with its prefix. `message` is at most 4 GiB long.
    mutating func writeGRPCMessage(_ message: [UInt8]) {
        precondition(message.count <= Int(UInt32.max), "A message's length fits its prefix.")
        reserveCapacity(minimumWritableBytes: message.count + MessageAssembler.prefixBytes)
        writeInteger(UInt8(0))
        writeInteger(UInt32(message.count))
        writeBytes(message)
    }
}
