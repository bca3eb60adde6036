/// The windows of what we send (RFC 9113, section 5.2 and 6.9). All sizes are in bytes.
///
/// A stream's window is kept as its difference from the initial window, so that a change of
/// SETTINGS_INITIAL_WINDOW_SIZE changes all of them at once, and below zero where it must.
package struct FlowControl {
    /// A window never exceeds 2³¹ − 1.
    package static let largestWindow = Int(Int32.max)
    /// The size of every window to begin with.
    package static let defaultWindow = 65_535

    /// What one stream may send is the initial window and this.
    package struct StreamWindow: Hashable, Sendable {
        fileprivate var difference = 0

        package init() {}
    }

    /// What may be sent over all streams.
    package private(set) var connection = defaultWindow
    private var initial = defaultWindow
    /// No stream's difference is larger. It may be smaller, for what is sent is not looked at.
    private var largestDifference = 0

    package init() {}

    /// What may be sent on a stream, as far as its own window goes.
    package func available(_ stream: StreamWindow) -> Int {
        initial + stream.difference
    }

    /// - Parameter size: No more than both windows have.
    package mutating func sent(_ size: Int, on stream: inout StreamWindow) {
        precondition(size <= connection && size <= available(stream), "The windows are respected.")
        connection -= size
        stream.difference -= size
    }

    package mutating func widenConnection(by increment: Int) throws(ConnectionError) {
        guard connection + increment <= Self.largestWindow else { throw .windowOverflow }
        connection += increment
    }

    /// - Returns: False when the stream's window would exceed its maximum.
    package mutating func widen(_ stream: inout StreamWindow, by increment: Int) -> Bool {
        guard available(stream) + increment <= Self.largestWindow else { return false }
        stream.difference += increment
        largestDifference = max(largestDifference, stream.difference)
        return true
    }

    /// Changes the windows of all streams.
    ///
    /// - Parameter streams: All streams there are; asked for only when one may overflow, which
    ///   happens to nobody who means well.
    package mutating func setInitial(
        _ window: Int, streams: () -> [StreamWindow]
    ) throws(ConnectionError) {
        if window + largestDifference > Self.largestWindow {
            largestDifference = max(streams().map(\.difference).max() ?? 0, 0)
            guard window + largestDifference <= Self.largestWindow else { throw .windowOverflow }
        }
        initial = window
    }
}

/// What one window of ours has received since its last WINDOW_UPDATE.
///
/// A window opens again as soon as half of it is used up, whatever becomes of what came, and is
/// larger than two frames. So a peer cannot send more than it may, as far as we could ever tell.
package struct ReceivedBytes {
    private var unacknowledged = 0

    package init() {}

    /// Counts received bytes, and returns the update to send once half of the window is used up.
    package mutating func add(_ count: Int, window: Int) -> Int? {
        unacknowledged += count
        guard unacknowledged >= window / 2 else { return nil }
        defer { unacknowledged = 0 }
        return unacknowledged
    }
}
