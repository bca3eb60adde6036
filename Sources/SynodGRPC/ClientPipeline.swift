import NIOCore
import NIOHTTP2

/// The handlers below a client's connection: joined writes, then HTTP/2 frames.
enum ClientPipeline {
    static func add(
        _ connection: ClientConnection, limits: GRPCLimits, to channel: any Channel
    ) throws {
        let operations = channel.pipeline.syncOperations
        try operations.addHandler(WriteCoalescer())
        try operations.addHandler(http2Handler(limits: limits))
        try operations.addHandler(connection)
    }

    private static func http2Handler(limits: GRPCLimits) -> NIOHTTP2Handler {
        var connection = NIOHTTP2Handler.ConnectionConfiguration()
        connection.initialSettings = [
            HTTP2Setting(parameter: .maxHeaderListSize, value: limits.headerListBytes),
            HTTP2Setting(parameter: .initialWindowSize, value: limits.streamWindowBytes),
            HTTP2Setting(parameter: .enablePush, value: 0),
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
            mode: .client, connectionConfiguration: connection, streamConfiguration: stream)
    }
}
