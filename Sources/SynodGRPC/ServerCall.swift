import NIOCore

/// One call on a server's connection.
struct ServerCall {
    /// A call moves down this list only.
    enum Phase {
        /// The client may send messages.
        case receiving
        /// The client has said all; the service works on it.
        case halfClosed
        /// The status is known; the call stays until all of it has left.
        case finished
    }

    let streamID: StreamID
    let method: MethodIndex
    let requests: RequestShape
    var phase = Phase.receiving
    /// Whether the client has said all, in whatever phase.
    var clientIsDone = false
    var assembler = MessageAssembler()
    /// The message of a method with a single request, until the client has said all.
    var message: ByteBuffer?
    var received = ReceivedBytes()
    /// What it adds to ``ServerConnection/heldBytes``.
    var heldBytes = 0
    var hasSentHeaders = false
    var window = FlowControl.StreamWindow()
    /// What it adds to ``ServerConnection/queuedBytes``.
    var queue = OutboundQueue()
}
