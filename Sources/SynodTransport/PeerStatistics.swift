/// What has passed between this member and one peer since the transport was made.
package struct PeerStatistics: Hashable, Sendable {
    /// Messages handed to connections, and their bytes without framing.
    package var sentMessages: UInt64 = 0
    package var sentBytes: UInt64 = 0
    /// Messages given to `send` that found no stream, no room or were too large, or that waited
    /// on a stream when it ended.
    package var droppedMessages: UInt64 = 0
    package var receivedMessages: UInt64 = 0
    package var receivedBytes: UInt64 = 0
    /// Outbound streams that the peer accepted; all but the first are reconnections.
    package var acceptedStreams: UInt64 = 0
    /// Bytes waiting to be sent now, in both streams.
    package var queuedBytes = 0
    /// Whether an accepted outbound stream stands.
    package var isReachable = false
    /// Whether an accepted inbound stream stands.
    package var isHeard = false
    /// Whether a bulk stream stands beside the outbound one.
    package var hasOutboundBulk = false
    /// Whether a bulk stream stands beside the inbound one.
    package var hasInboundBulk = false

    package init() {}

    /// Adds what the bulk stream beside this outbound one has sent.
    mutating func add(bulk: PeerStatistics) {
        sentMessages += bulk.sentMessages
        sentBytes += bulk.sentBytes
        droppedMessages += bulk.droppedMessages
        queuedBytes += bulk.queuedBytes
        hasOutboundBulk = bulk.isReachable
    }
}
