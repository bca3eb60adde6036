package import NIOCore

/// Every bound of the transport. The inequalities between them are checked on creation.
package struct TransportLimits: Sendable {
    /// Largest frame taken or made, in bytes of payload. Bounds what one connection can make a
    /// receiver hold.
    package var frameBytes = 64 << 20
    /// Messages are gathered into frames of about this size; a larger message has one of its own.
    package var batchBytes = 256 << 10
    /// Largest frame before a stream is accepted: a stranger can make us hold no more than this.
    package var handshakeBytes = 64 << 10
    /// Bytes that may wait for one peer; messages beyond are dropped.
    package var queuedBytes = 64 << 20
    /// Messages that may wait for one peer; messages beyond are dropped.
    package var queuedMessages = 1 << 16
    /// Bytes handed to the operating system's side of a connection before the queue holds back.
    package var writeWatermark = 1 << 20
    /// Connections that have not been accepted yet; more are closed at once.
    package var halfShaken = 64

    /// From the connection to the owner's answer, for either side.
    package var handshakeTimeout = TimeAmount.seconds(4)
    package var connectTimeout = TimeAmount.seconds(2)
    /// The first wait after a lost connection or failed attempt; doubles up to `longestBackoff`.
    package var shortestBackoff = TimeAmount.milliseconds(10)
    /// Also how long a stream has to last for its loss to be retried without growing waits.
    package var longestBackoff = TimeAmount.seconds(1)
    /// Unacknowledged bytes older than this break a connection, where the system offers it.
    package var unacknowledged = TimeAmount.seconds(10)
    /// How long ``PeerTransport/shutdown()`` lets queued messages leave.
    package var farewell = TimeAmount.milliseconds(500)

    package init() {}

    /// Largest message that fits a frame: its kind and length take up to eleven bytes.
    package var messageBytes: Int { frameBytes - 11 }

    func check() {
        precondition(frameBytes <= 1 << 30, "A frame's length fits 32 bits with room to spare.")
        precondition(batchBytes > 0, "A batch holds at least one byte.")
        precondition(batchBytes <= frameBytes, "A batch fits a frame.")
        precondition(handshakeBytes > 16, "A hello has room for a payload.")
        precondition(handshakeBytes <= frameBytes, "A handshake is a frame.")
        precondition(queuedBytes >= batchBytes, "The queue holds at least a batch.")
        precondition(queuedMessages > 0, "The queue holds at least a message.")
        precondition(writeWatermark > 0, "Something may be written.")
        precondition(halfShaken > 0, "At least one connection may shake hands.")
        precondition(shortestBackoff > .zero, "A retry waits.")
        precondition(shortestBackoff <= longestBackoff, "Waits grow.")
    }
}
