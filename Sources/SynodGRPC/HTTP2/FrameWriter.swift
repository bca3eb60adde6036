import NIOCore

/// Frames on their way out (RFC 9113, section 6).
extension ByteBuffer {
    mutating func writeFrameHeader(
        length: Int, _ kind: FrameHeader.Kind, _ flags: FrameHeader.Flags = [],
        on streamID: StreamID
    ) {
        writeMultipleIntegers(
            UInt32(length) << 8 | UInt32(kind.rawValue), flags.rawValue, streamID.rawValue)
    }

    /// Writes HEADERS around a block, which fits a frame of ``FrameHeader/largestPayload``.
    mutating func writeHeaders(
        on streamID: StreamID, endStream: Bool, _ writeBlock: (inout ByteBuffer) -> Void
    ) {
        let start = writerIndex
        let flags: FrameHeader.Flags = endStream ? [.endHeaders, .endStream] : .endHeaders
        writeFrameHeader(length: 0, .headers, flags, on: streamID)
        writeBlock(&self)
        let length = writerIndex - start - FrameHeader.length
        precondition(length <= FrameHeader.largestPayload, "Our header blocks are small.")
        setInteger(
            UInt32(length) << 8 | UInt32(FrameHeader.Kind.headers.rawValue), at: start)
    }

    mutating func writeReset(_ streamID: StreamID, _ code: ErrorCode) {
        writeFrameHeader(length: 4, .resetStream, on: streamID)
        writeInteger(code.rawValue)
    }

    mutating func writeWindowUpdate(_ streamID: StreamID, by increment: Int) {
        writeFrameHeader(length: 4, .windowUpdate, on: streamID)
        writeInteger(UInt32(increment))
    }

    mutating func writePingAcknowledgement(_ payload: ByteBuffer) {
        writeFrameHeader(
            length: payload.readableBytes, .ping, .acknowledgement, on: .connection)
        writeImmutableBuffer(payload)
    }

    mutating func writeSettingsAcknowledgement() {
        writeFrameHeader(length: 0, .settings, .acknowledgement, on: .connection)
    }

    /// Writes our own SETTINGS: what differs from the defaults.
    mutating func writeSettings(maxStreams: Int, streamWindow: Int, headerListBytes: Int) {
        let parameters: [(UInt16, Int)] = [
            (3, maxStreams), (4, streamWindow), (6, headerListBytes),
        ]
        writeFrameHeader(length: 6 * parameters.count, .settings, on: .connection)
        for (parameter, value) in parameters {
            writeMultipleIntegers(parameter, UInt32(value))
        }
    }

    mutating func writeGoAway(lastStreamID: StreamID, _ code: ErrorCode, reason: StaticString) {
        writeFrameHeader(length: 8 + reason.utf8CodeUnitCount, .goAway, on: .connection)
        writeMultipleIntegers(lastStreamID.rawValue, code.rawValue)
        writeStaticString(reason)
    }
}

/// Messages on their way out.
extension ByteBuffer {
    /// Writes a message as one DATA frame, which it fits with its prefix.
    mutating func writeDataFrame(_ message: [UInt8], on streamID: StreamID) {
        let length = message.count + MessageAssembler.prefixBytes
        precondition(length <= FrameHeader.largestPayload, "A message that fits a frame.")
        reserveCapacity(minimumWritableBytes: FrameHeader.length + length)
        // The frame's header, then the message's prefix.
        writeMultipleIntegers(
            UInt32(length) << 8, UInt8(0), streamID.rawValue, UInt8(0), UInt32(message.count))
        writeBytes(message)
    }

    /// Writes a whole answer, as it looks once its header fields are in the client's table.
    mutating func writeAnswer(
        _ message: [UInt8], _ fields: AnswerEncoder.Repeated, on streamID: StreamID
    ) {
        writeFrameHeader(length: 2, .headers, .endHeaders, on: streamID)
        writeMultipleIntegers(fields.status, fields.contentType)
        writeDataFrame(message, on: streamID)
        writeFrameHeader(length: 1, .headers, [.endHeaders, .endStream], on: streamID)
        writeInteger(fields.ok)
    }
}
