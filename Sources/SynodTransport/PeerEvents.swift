package import SynodBytes

/// What the transport tells its owner. Called on event-loop threads, so never to be kept waiting;
/// calls about one stream come in order, calls about different streams beside each other.
package protocol PeerEvents: AnyObject, Sendable {
    /// A stranger introduced itself. To be answered, from any thread, with
    /// ``PeerTransport/accept(_:as:reply:)`` or ``PeerTransport/refuse(_:reason:)`` before the
    /// handshake times out.
    func helloReceived(_ payload: Bytes, on connection: InboundConnection)

    /// The peer took our stream and sent this reply; from now on messages reach it.
    func accepted(by peer: PeerID, reply: Bytes)

    /// The peer will not have us. The transport tries again, at its slowest, until it is shut down.
    func refused(by peer: PeerID, reason: String)

    /// An accepted stream ended. With `reset` the peer's side ended it (end of file or reset): for
    /// an inbound stream that means that its process has most likely died. Without `reset` this
    /// side did, over a malformed frame or a timeout.
    ///
    /// Not called for a stream that a newer one of the same peer replaced, nor after shutdown.
    func disconnected(_ peer: PeerID, _ direction: StreamDirection, reset: Bool)

    /// All messages of one read from the peer's stream, in the order they were sent.
    func received(_ messages: [Bytes], from peer: PeerID)
}
