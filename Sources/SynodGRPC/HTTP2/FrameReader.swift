package import NIOCore

/// Cuts a client's bytes into frames, wherever the reads of the socket happen to end.
package struct FrameReader {
    /// What every client says first (RFC 9113, section 3.4).
    private static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    private var buffer = ByteBuffer()
    package private(set) var hasPreface = false

    package init() {}

    package mutating func append(_ bytes: ByteBuffer) {
        if buffer.readableBytes == 0 {
            buffer = bytes
        } else {
            buffer.writeImmutableBuffer(bytes)
        }
    }

    /// Takes the next complete frame out; nil when it is not there yet. What is not the beginning
    /// of a frame that we would take is refused at once, before its end has come.
    package mutating func next() throws(ConnectionError) -> Frame? {
        guard hasPreface else {
            try readPreface()
            return hasPreface ? try next() : nil
        }
        guard let header = FrameHeader(peekedFrom: buffer) else { return nil }
        guard header.payloadLength <= FrameHeader.largestPayload else {
            throw ConnectionError(.frameSize, "a frame is larger than SETTINGS_MAX_FRAME_SIZE")
        }
        guard buffer.readableBytes >= FrameHeader.length + header.payloadLength else { return nil }
        buffer.moveReaderIndex(forwardBy: FrameHeader.length)
        guard let payload = buffer.readSlice(length: header.payloadLength) else { return nil }
        return Frame(header: header, payload: payload)
    }

    /// Copies what is left, so that neither a few bytes keep a whole read alive nor the next read
    /// has to be copied behind bytes that are done with.
    package mutating func ownRest() {
        guard buffer.readableBytes > 0 else {
            buffer = ByteBuffer()
            return
        }
        var rest = ByteBufferAllocator().buffer(capacity: 2 * buffer.readableBytes)
        rest.writeImmutableBuffer(buffer)
        buffer = rest
    }

    private mutating func readPreface() throws(ConnectionError) {
        let count = min(buffer.readableBytes, Self.preface.count)
        guard buffer.readableBytesView.prefix(count).elementsEqual(Self.preface.prefix(count))
        else {
            throw ConnectionError(.protocolError, "this is not HTTP/2 with prior knowledge")
        }
        guard count == Self.preface.count else { return }
        buffer.moveReaderIndex(forwardBy: count)
        hasPreface = true
    }
}
