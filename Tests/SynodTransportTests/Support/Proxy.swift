import NIOCore
import NIOPosix
import Synchronization
import SynodTransport

/// A link between two members that can flip a bit in what the dialler sends.
final class Proxy: Sendable {
    private let listener: any Channel
    let address: PeerAddress

    private final class Forwarder: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let other: any Channel
        private let change: (inout ByteBuffer) -> Void

        init(to other: any Channel, change: @escaping (inout ByteBuffer) -> Void) {
            self.other = other
            self.change = change
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            var buffer = unwrapInboundIn(data)
            change(&buffer)
            other.writeAndFlush(buffer, promise: nil)
        }

        func channelInactive(context: ChannelHandlerContext) {
            other.close(promise: nil)
        }
    }

    private final class Flag: Sendable {
        let isSet = Mutex(false)

        func take() -> Bool {
            isSet.withLock { value in
                defer { value = false }
                return value
            }
        }
    }

    private let flag: Flag

    init(to target: PeerAddress) async throws {
        let flag = Flag()
        self.flag = flag
        listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { near in
                ClientBootstrap(group: near.eventLoop)
                    .channelInitializer { far in
                        far.eventLoop.makeCompletedFuture {
                            try far.pipeline.syncOperations.addHandler(
                                Forwarder(to: near) { _ in })
                        }
                    }
                    .connect(host: target.host, port: target.port)
                    .flatMapThrowing { far in
                        try near.pipeline.syncOperations.addHandler(
                            Forwarder(to: far) { buffer in
                                guard flag.take() else { return }
                                let last = buffer.writerIndex - 1
                                let byte = buffer.getInteger(at: last, as: UInt8.self)!
                                buffer.setInteger(byte ^ 0x10, at: last)
                            })
                    }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        address = PeerAddress(host: "127.0.0.1", port: listener.localAddress!.port!)
    }

    /// Flips one bit in what the dialler sends next.
    func corruptOnce() {
        flag.isSet.withLock { $0 = true }
    }

    func close() async throws {
        try await listener.close().get()
    }
}
