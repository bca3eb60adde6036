import NIOCore
import NIOPosix

/// One connection to the metrics port, on which a test sends whatever bytes it wants.
struct Exchange: Sendable {
    private let channel: any Channel
    private let received: EventLoopFuture<String>

    init(port: Int) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let promise = group.next().makePromise(of: String.self)
        received = promise.futureResult
        channel = try await ClientBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Collector(promise))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
    }

    /// Sends a text; what the server does not want any more is no error.
    func send(_ text: String) async {
        try? await channel.writeAndFlush(channel.allocator.buffer(string: text))
    }

    /// Ends the sending half, unless the server was faster and has closed both.
    func endSending() async { try? await channel.close(mode: .output) }

    /// All that came until the server closed the connection.
    func answer() async throws -> String { try await received.get() }

    /// What the server answers to a text.
    static func answer(to text: String, port: Int) async throws -> String {
        let exchange = try await Exchange(port: port)
        await exchange.send(text)
        return try await exchange.answer()
    }
}

private final class Collector: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let promise: EventLoopPromise<String>
    private var text = ""

    init(_ promise: EventLoopPromise<String>) { self.promise = promise }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        text += String(buffer: unwrapInboundIn(data))
    }

    func channelInactive(context: ChannelHandlerContext) { promise.succeed(text) }

    /// A reset is an end, too.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
