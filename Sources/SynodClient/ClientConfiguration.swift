/// How a client connects and how long it waits.
public struct ClientConfiguration: Sendable {
    /// How long a call may take, with all its attempts.
    public var callTimeout: Duration = .seconds(7)
    /// How long one attempt to connect may take.
    public var connectTimeout: Duration = .seconds(2)
    /// The largest response accepted, in bytes.
    public var maximumResponseBytes = 64 << 20

    public init() {}
}
