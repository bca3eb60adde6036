import NIOCore
import NIOHTTP2

/// The handlers below a connection of ours: joined writes, then HTTP/2 frames.
enum HTTP2Pipeline {
    static func add(
        mode: NIOHTTP2Handler.ParserMode, limits: GRPCLimits, above handler: any ChannelHandler,
        to channel: any Channel
    ) throws {
        let operations = channel.pipeline.syncOperations
        try operations.addHandler(WriteCoalescer())
        try operations.addHandler(http2Handler(mode: mode, limits: limits))
        try operations.addHandler(handler)
    }

    private static func http2Handler(
        mode: NIOHTTP2Handler.ParserMode, limits: GRPCLimits
    ) -> NIOHTTP2Handler {
        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        connection.initialSettings = [
            HTTP2Setting(parameter: .maxHeaderListSize, value: limits.headerListBytes),
            HTTP2Setting(parameter: .initialWindowSize, value: limits.streamWindowBytes),
            mode == .server
                ? HTTP2Setting(parameter: .maxConcurrentStreams, value: limits.streamsPerConnection)
                : HTTP2Setting(parameter: .enablePush, value: 0),
        ]
        // What a call needs of its headers is checked where it is used, so that an odd header costs
        // its own call at most, and messages have lengths of their own.
        connection.headerBlockValidation = .disabled
        connection.contentLengthValidation = .disabled
        connection.maximumRecentlyResetStreams = 1_024
        connection.maximumConnectionGlitches = limits.streamErrors
        connection.maximumSequentialEmptyDataFrames = 16
        connection.controlFrameRateLimit.maximumCount = limits.nuisanceFramesPerSecond
        connection.controlFrameRateLimit.windowLength = .seconds(1)
        var stream = NIOHTTP2Handler.StreamConfiguration()
        stream.streamResetFrameRateLimit.maximumCount = limits.nuisanceFramesPerSecond
        stream.streamResetFrameRateLimit.windowLength = .seconds(1)
        stream.streamErrorRateLimit.maximumCount = limits.nuisanceFramesPerSecond
        stream.streamErrorRateLimit.windowLength = .seconds(1)
        return NIOHTTP2Handler(
            mode: mode, connectionConfiguration: connection, streamConfiguration: stream)
    }
}

/// What one window has received since its last WINDOW_UPDATE.
struct ReceivedBytes {
    private var unacknowledged = 0

    /// Counts received bytes, and returns the update to send once half of the window is used up.
    mutating func add(_ count: Int, window: Int) -> Int? {
        unacknowledged += count
        guard unacknowledged >= window / 2 else { return nil }
        defer { unacknowledged = 0 }
        return unacknowledged
    }
}
