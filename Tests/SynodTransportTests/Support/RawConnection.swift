import NIOCore
import NIOPosix
import Synchronization
import SynodBytes
import SynodTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A plain TCP connection under a test's control.
final class RawConnection: Sendable {
    let channel: any Channel
    private let incoming: Incoming

    /// What came in, and whether the other side has closed.
    final class Incoming: ChannelInboundHandler, Sendable {
        typealias InboundIn = ByteBuffer
        let bytes = Mutex<Bytes>([])

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let buffer = unwrapInboundIn(data)
            bytes.withLock { $0.append(contentsOf: buffer.readableBytesView) }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }
    }

    private init(channel: any Channel, incoming: Incoming) {
        self.channel = channel
        self.incoming = incoming
    }

    static func dial(_ address: PeerAddress) async throws -> RawConnection {
        let incoming = Incoming()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { $0.pipeline.addHandler(incoming) }
            .connect(host: address.host, port: address.port).get()
        return RawConnection(channel: channel, incoming: incoming)
    }

    /// A listener that hands each connection, with reading off, to the test.
    static func listen(
        onConnection: @escaping @Sendable (RawConnection) -> Void
    ) async throws -> (listener: any Channel, address: PeerAddress) {
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { channel in
                let incoming = Incoming()
                onConnection(RawConnection(channel: channel, incoming: incoming))
                return channel.pipeline.addHandler(incoming)
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = listener.localAddress!.port!
        return (listener, PeerAddress(host: "127.0.0.1", port: port))
    }

    var received: Bytes { incoming.bytes.withLock { $0 } }

    /// The other side may have hung up already, which is for ``waitForClose()`` to see.
    func write(_ bytes: Bytes) async throws {
        do {
            try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
        } catch  where !channel.isActive {}
    }

    /// Each byte in a segment of its own.
    func writeByteByByte(_ bytes: Bytes) async throws {
        for byte in bytes { try await write([byte]) }
    }

    /// Waits until the other side has closed; false after ten seconds.
    func waitForClose() async -> Bool {
        let timeout = channel.eventLoop.scheduleTask(in: .seconds(10)) {}
        let first = channel.eventLoop.makePromise(of: Bool.self)
        channel.closeFuture.whenComplete { _ in first.succeed(true) }
        timeout.futureResult.whenSuccess { first.succeed(false) }
        defer { timeout.cancel() }
        return (try? await first.futureResult.get()) ?? false
    }

    func close() async throws {
        try await channel.close().get()
    }

    /// Closes with a reset instead of an end of file.
    func reset() async throws {
        let options = channel as! any SocketOptionProvider
        try await options.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        try await close()
    }
}

/// The peer protocol written out by hand, apart from the code under test.
enum Wire {
    static let preface: Bytes = Array("SYNOD".utf8) + [2, 2]

    static func frame(_ kind: UInt8, _ rest: Bytes) -> Bytes {
        let payload = [kind] + rest
        return header(length: UInt32(payload.count), crc: CRC32C.checksum(payload)) + payload
    }

    static func header(length: UInt32, crc: UInt32) -> Bytes {
        var writer = ByteWriter()
        writer.write(length)
        writer.write(crc)
        writer.write(CRC32C.checksum(writer.bytes))
        return writer.bytes
    }

    static func hello(_ payload: Bytes) -> Bytes { frame(1, payload) }
    static func join(_ payload: Bytes) -> Bytes { frame(6, payload) }
    static func accepted(_ reply: Bytes) -> Bytes { frame(2, [2] + reply) }

    static func messages(_ messages: [Bytes]) -> Bytes {
        var writer = ByteWriter()
        for message in messages { writer.writePrefixed(message) }
        return frame(5, writer.bytes)
    }
}
