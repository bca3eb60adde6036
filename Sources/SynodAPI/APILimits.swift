/// What bounds the client port, beside the limits of each connection.
enum APILimits {
    /// A gRPC message may be this much larger than the largest command, in bytes, so that a
    /// request which is just too large is told so in etcd's words.
    static let messageOverheadBytes = 512 << 10
    /// Connections on one event loop; more are closed as soon as they are accepted.
    static let connectionsPerEventLoop = 16_384
    /// How long a shutdown waits for calls in flight, in milliseconds.
    static let shutdownMilliseconds: Int64 = 2_000
}
