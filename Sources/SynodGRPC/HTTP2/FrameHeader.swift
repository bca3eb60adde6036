package import NIOCore

/// What begins every frame (RFC 9113, section 4.1).
package struct FrameHeader: Hashable, Sendable {
    /// The length of a frame header, in bytes.
    static let length = 9
    /// The largest payload of a frame, here and there, in bytes: we offer the default, and it is
    /// the smallest that a peer may offer us, so that we need not know what it does.
    package static let largestPayload = 16_384

    /// The kinds of frames (RFC 9113, section 6).
    package enum Kind: UInt8, Sendable {
        case data = 0
        case headers = 1
        case priority = 2
        case resetStream = 3
        case settings = 4
        case pushPromise = 5
        case ping = 6
        case goAway = 7
        case windowUpdate = 8
        case continuation = 9
    }

    package struct Flags: OptionSet, Hashable, Sendable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        package static let endStream = Flags(rawValue: 0x01)
        /// Of SETTINGS and PING, where others have `endStream`.
        package static let acknowledgement = Flags(rawValue: 0x01)
        package static let endHeaders = Flags(rawValue: 0x04)
        package static let padded = Flags(rawValue: 0x08)
        package static let priority = Flags(rawValue: 0x20)
    }

    package let payloadLength: Int
    /// Nil for a kind that we do not know and must ignore (RFC 9113, section 5.5).
    package let kind: Kind?
    package let flags: Flags
    package let streamID: StreamID

    /// Reads the header that begins a buffer, without taking it; nil when it is not there yet.
    init?(peekedFrom buffer: ByteBuffer) {
        let start = buffer.readerIndex
        guard let lengthAndKind = buffer.getInteger(at: start, as: UInt32.self),
            let flags = buffer.getInteger(at: start + 4, as: UInt8.self),
            let streamID = buffer.getInteger(at: start + 5, as: UInt32.self)
        else {
            return nil
        }
        payloadLength = Int(lengthAndKind >> 8)
        kind = Kind(rawValue: UInt8(truncatingIfNeeded: lengthAndKind))
        self.flags = Flags(rawValue: flags)
        self.streamID = StreamID(rawValue: streamID & 0x7fff_ffff)
    }
}

/// A complete frame, with everything after its header.
package struct Frame {
    package let header: FrameHeader
    package var payload: ByteBuffer

    /// Takes padding and a stream's priority off the payload of HEADERS or DATA.
    mutating func removePadding() throws(ConnectionError) {
        if header.flags.contains(.padded) {
            guard let padding = payload.readInteger(as: UInt8.self),
                Int(padding) <= payload.readableBytes
            else {
                throw ConnectionError(.protocolError, "more padding than payload")
            }
            payload.moveWriterIndex(to: payload.writerIndex - Int(padding))
        }
        if header.kind == .headers, header.flags.contains(.priority) {
            guard payload.readableBytes >= 5 else { throw .frameSize }
            payload.moveReaderIndex(forwardBy: 5)
        }
    }
}
