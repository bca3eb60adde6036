package import NIOCore
package import SynodBytes

/// One frame of the peer protocol. On the wire, integers little-endian:
///
/// ```
/// length  u32   of the payload
/// crc     u32   CRC-32C of the payload
/// header  u32   CRC-32C of the eight bytes before: a wrong length would have the receiver wait for
///               bytes that never come
/// payload       kind u8, then what the kind says
/// ```
///
/// ```
///   dialler                                   acceptor
///      │  preface, hello(payload)                │
///      │ ──────────────────────────────────────► │  asks its owner
///      │       accepted(wire version, reply)     │
///      │ ◄────────────────────────────────────── │  or refused, or incompatible, and closes
///      │  messages, messages, ...                │
///      │ ──────────────────────────────────────► │
/// ```
///
/// The bulk stream beside it begins with a `join` instead of the hello, and with the same bytes: so
/// it is told whose it is, and the owner is asked nothing.
///
/// The frame's outer form and the handshake's kinds are the same in every wire version.
package enum Frame: Equatable {
    /// Kind 1, the owner's bytes.
    case hello(Bytes)
    /// Kind 2, wire version u8, the owner's bytes.
    case accepted(version: UInt8, reply: Bytes)
    /// Kind 3, the reason in UTF-8.
    case refused(reason: String)
    /// Kind 4, smallest and largest wire version of the acceptor.
    case incompatible(WireVersions)
    /// Kind 5, then each message behind its length as a varint. The parser delivers them apart.
    case messages
    /// Kind 6, what the hello said of the stream that the connection belongs to.
    case join(Bytes)

    package enum Kind {
        package static let hello: UInt8 = 1
        package static let accepted: UInt8 = 2
        package static let refused: UInt8 = 3
        package static let incompatible: UInt8 = 4
        package static let messages: UInt8 = 5
        package static let join: UInt8 = 6
    }

    package static let headerBytes = 12

    /// Messages in one frame at most, so that a frame of tiny ones cannot unfold into much more
    /// memory than its own size.
    package static let largestBatch = 1 << 16
}

/// The other side broke the protocol; the connection is dropped with this reason.
package struct ProtocolViolation: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

extension ByteBuffer {
    /// Writes a handshake frame; messages have ``writeMessageFrame(_:from:limits:)``.
    package mutating func writeHandshakeFrame(_ frame: Frame) {
        let start = beginFrame()
        switch frame {
        case .hello(let payload):
            writeInteger(Frame.Kind.hello)
            writeBytes(payload)
        case .accepted(let version, let reply):
            writeInteger(Frame.Kind.accepted)
            writeInteger(version)
            writeBytes(reply)
        case .refused(let reason):
            writeInteger(Frame.Kind.refused)
            writeString(reason)
        case .incompatible(let versions):
            writeInteger(Frame.Kind.incompatible)
            writeInteger(versions.smallest)
            writeInteger(versions.largest)
        case .join(let payload):
            writeInteger(Frame.Kind.join)
            writeBytes(payload)
        case .messages:
            preconditionFailure("Messages are not part of the handshake.")
        }
        endFrame(at: start)
    }

    /// Writes one frame of the messages from `first` on, as many as make a batch, at least one;
    /// returns the index behind the last of them.
    package mutating func writeMessageFrame(
        _ messages: [Bytes], from first: Int, limits: TransportLimits
    ) -> Int {
        var end = first
        var size = 1
        repeat {
            size += messages[end].count + 10
            end += 1
        } while end < messages.count && end - first < Frame.largestBatch
            && size + messages[end].count + 10 <= limits.batchBytes
        reserveCapacity(minimumWritableBytes: Frame.headerBytes + size)
        let start = beginFrame()
        writeInteger(Frame.Kind.messages)
        for index in first..<end {
            writeVarint(messages[index].count)
            writeBytes(messages[index])
        }
        endFrame(at: start)
        return end
    }

    private mutating func beginFrame() -> Int {
        let start = writerIndex
        writeRepeatingByte(0, count: Frame.headerBytes)
        return start
    }

    private mutating func endFrame(at start: Int) {
        let payload = start + Frame.headerBytes
        let count = writerIndex - payload
        var crc = CRC32C()
        withUnsafeReadableBytes { readable in
            let offset = payload - readerIndex
            crc.update(UnsafeRawBufferPointer(rebasing: readable[offset..<offset + count]))
        }
        setInteger(UInt32(count), at: start, endianness: .little)
        setInteger(crc.value, at: start + 4, endianness: .little)
        setInteger(frameHeaderChecksum(at: start), at: start + 8, endianness: .little)
    }

    /// The checksum of a frame header's length and checksum.
    func frameHeaderChecksum(at start: Int) -> UInt32 {
        var crc = CRC32C()
        withUnsafeReadableBytes { readable in
            let offset = start - readerIndex
            crc.update(UnsafeRawBufferPointer(rebasing: readable[offset..<offset + 8]))
        }
        return crc.value
    }

    private mutating func writeVarint(_ value: Int) {
        var rest = UInt(value)
        while rest >= 0x80 {
            writeInteger(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        writeInteger(UInt8(truncatingIfNeeded: rest))
    }
}
