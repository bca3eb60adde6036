/// The bounds of one gRPC connection, for both halves of it. Sizes are in bytes.
package struct GRPCLimits: Sendable {
    /// The largest message accepted, without its five-byte prefix.
    package var messageBytes = (3 << 19) + (512 << 10)
    /// Calls open at once on a connection. Thousands of callers may share one connection, and a
    /// call costs a few hundred bytes.
    package var streamsPerConnection = 65_536
    /// The size of a call's header block after decompression.
    package var headerListBytes = 16 << 10
    /// Received parts of messages that are not complete yet, over all calls of a connection: some
    /// thirty of the largest messages at once.
    package var partialBytesPerConnection = 64 << 20
    /// Messages queued for a peer that does not take them. A message that would go over the bound
    /// is replaced by an error, unless it is the only one.
    package var queuedBytesPerConnection = 16 << 20
    /// What a peer may send on one stream before we say more: above the largest default message,
    /// so that no ordinary call has to wait for a window update.
    package var streamWindowBytes = 4 << 20
    /// What a peer may send on a connection before we say more.
    package var connectionWindowBytes = 16 << 20
    /// Frames that cost us work and the peer nothing (RST_STREAM, PING, SETTINGS), per second and
    /// kind. Clients that give up on thousands of calls at once, or ping after every read, stay below
    /// it; so many cost a tenth of a processor.
    package var nuisanceFramesPerSecond = 10_000
    /// Streams that broke HTTP/2's rules, over a connection's life.
    package var streamErrors = 10_000
    /// Bytes that may wait in the socket's queue before we stop reading requests.
    package var socketHighWaterBytes = 1 << 20
    /// How long a new connection may take to speak HTTP/2, in seconds.
    package var prefaceSeconds: Int64 = 10

    package init() {}
}
