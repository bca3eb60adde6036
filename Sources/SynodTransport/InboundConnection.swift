import NIOCore

/// A connection that a stranger dialled; becomes a peer's inbound stream when the owner accepts, or
/// the bulk stream beside one.
package final class InboundConnection: Sendable {
    /// Where it comes from, for log lines.
    package let remoteAddress: String

    private let eventLoop: any EventLoop
    private let handler: NIOLoopBound<InboundHandler>

    init(_ handler: InboundHandler, channel: any Channel) {
        remoteAddress =
            channel.remoteAddress.map { "\($0.ipAddress ?? "?"):\($0.port ?? 0)" } ?? "?"
        eventLoop = channel.eventLoop
        self.handler = NIOLoopBound(handler, eventLoop: channel.eventLoop)
    }

    /// Runs on the connection's event loop.
    func perform(_ body: @escaping @Sendable (InboundHandler) -> Void) {
        eventLoop.execute { body(self.handler.value) }
    }
}
