/// The streams that we ended lately while their client was still sending. What it sent before it
/// knew is no error (RFC 9113, section 5.1).
package struct RecentResets {
    /// Beyond that many a late frame is taken for an error of its stream.
    private static let capacity = 1_024

    /// A ring, with its oldest member at `oldest` once it is full.
    private var streamIDs: [StreamID] = []
    private var oldest = 0

    package init() {}

    package mutating func insert(_ streamID: StreamID) {
        if streamIDs.count < Self.capacity {
            streamIDs.append(streamID)
        } else {
            streamIDs[oldest] = streamID
            oldest = (oldest + 1) % Self.capacity
        }
    }

    package func contains(_ streamID: StreamID) -> Bool {
        streamIDs.contains(streamID)
    }
}
