package import NIOCore

/// A header block that may come in several frames: HEADERS, then CONTINUATION until one says that
/// it is the last (RFC 9113, section 4.3). Nothing may come in between.
package struct HeaderBlock {
    /// Frames of one block beyond HEADERS. They may be empty, so bytes alone do not bound them.
    private static let largestContinuationCount = 64

    package let streamID: StreamID
    package let endStream: Bool
    package private(set) var bytes: ByteBuffer
    package private(set) var isComplete: Bool
    private var continuationCount = 0

    /// - Parameter frame: HEADERS, without its padding.
    init(_ frame: Frame) {
        streamID = frame.header.streamID
        endStream = frame.header.flags.contains(.endStream)
        isComplete = frame.header.flags.contains(.endHeaders)
        bytes = frame.payload
    }

    mutating func append(_ frame: Frame, limit: Int) throws(ConnectionError) {
        guard frame.header.kind == .continuation, frame.header.streamID == streamID else {
            throw ConnectionError(.protocolError, "a header block is interrupted")
        }
        continuationCount += 1
        guard continuationCount <= Self.largestContinuationCount,
            bytes.readableBytes + frame.payload.readableBytes <= limit
        else {
            throw .tooLargeHeaders
        }
        bytes.writeImmutableBuffer(frame.payload)
        isComplete = frame.header.flags.contains(.endHeaders)
    }
}
