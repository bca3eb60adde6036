/// What bounds the metrics port. Few ask, and each asks for little.
package struct MetricsLimits: Sendable {
    /// Connections at a time, at least 1; more are closed as soon as they are accepted.
    package var connections = 32
    /// A connection is closed after this long, whatever has become of it; in milliseconds.
    package var connectionMilliseconds: Int64 = 10_000
    /// Bytes of a request's target and headers together, and of its body, which nobody reads.
    package var requestBytes = 16_384
    package var headerFields = 100

    package init() {}
}
