import NIOCore
import NIOPosix
import Synchronization

/// One connection between two members on its way through the proxy: the one that a member dialled,
/// and the one made to the member that it meant. Lives on one event loop; only ``reset()`` and
/// ``link`` are for any thread.
///
/// Who dialled is told by the hello, so the second connection is made when that has come.
final class Tunnel: @unchecked Sendable {
    private let near: any Channel
    private var far: (any Channel)?
    private let to: Int
    private let destination: SocketAddress
    private let board: FaultBoard
    private let members: [UInt64: Int]
    private let knownLink = Mutex<Link?>(nil)

    private let forward = Lane(hasPreface: true)
    private let backward = Lane(hasPreface: false)
    /// Came before the second connection stood.
    private var waiting: [FrameCutter.Piece] = []
    private var isEnding = false

    /// What one direction remembers. A class, as a write may call back into the tunnel at once.
    private final class Lane {
        var cutter: FrameCutter
        /// When the piece before is due: none overtakes it.
        var lastDue = NIODeadline.uptimeNanoseconds(0)

        init(hasPreface: Bool) {
            cutter = FrameCutter(hasPreface: hasPreface)
        }
    }

    enum End { case near, far }

    init(
        near: any Channel, to: Int, destination: SocketAddress, members: [UInt64: Int],
        board: FaultBoard
    ) {
        self.near = near
        self.to = to
        self.destination = destination
        self.members = members
        self.board = board
    }

    /// The direction of the messages, once it is known.
    var link: Link? { knownLink.withLock { $0 } }

    /// Breaks both connections with a reset.
    func reset() {
        near.eventLoop.execute { self.end(withReset: true) }
    }

    // MARK: On the event loop

    func received(_ bytes: inout ByteBuffer, at end: End) {
        switch end {
        case .near:
            forward.cutter.feed(&bytes)
            while let piece = forward.cutter.next() { goForward(piece) }
        case .far:
            guard let link else { return }
            backward.cutter.feed(&bytes)
            while let piece = backward.cutter.next() {
                let back = Link(from: link.to, to: link.from)
                Self.deliver(piece, on: back, backward, to: near, board)
            }
        }
    }

    /// A channel that takes no more holds back the other one, as one connection would.
    func writabilityChanged(_ isWritable: Bool, at end: End) {
        let other = end == .near ? far : near
        other?.setOption(.autoRead, value: isWritable).whenComplete { _ in }
    }

    /// One end closed: the other follows when what was sent before has arrived.
    func closed(_ end: End) {
        let due = end == .near ? forward.lastDue : backward.lastDue
        near.eventLoop.scheduleTask(deadline: max(due, .now())) { self.end(withReset: false) }
    }

    private func goForward(_ piece: FrameCutter.Piece) {
        if let link, let far {
            Self.deliver(piece, on: link, forward, to: far, board)
            return
        }
        waiting.append(piece)
        guard link == nil, let sender = piece.sender else { return }
        guard let from = members[sender] else { return end(withReset: true) }
        let link = Link(from: from, to: to)
        knownLink.withLock { $0 = link }
        guard board.admits(link) else { return end(withReset: true) }
        connect(link)
    }

    private func connect(_ link: Link) {
        ClientBootstrap(group: near.eventLoop)
            .connectTimeout(.seconds(2))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(TunnelHandler(self, .far))
                }
            }
            .connect(to: destination)
            .whenComplete { result in
                guard case .success(let far) = result, !self.isEnding else {
                    if case .success(let far) = result { far.close(promise: nil) }
                    return self.end(withReset: true)
                }
                self.far = far
                for piece in self.waiting {
                    Self.deliver(piece, on: link, self.forward, to: far, self.board)
                }
                self.waiting = []
            }
    }

    private static func deliver(
        _ piece: FrameCutter.Piece, on link: Link, _ lane: Lane, to channel: any Channel,
        _ board: FaultBoard
    ) {
        guard case .delivered(let delay, let wrongBit) = board.fate(of: piece, on: link) else {
            return
        }
        var bytes = piece.bytes
        if let wrongBit {
            let index = bytes.readerIndex + wrongBit / 8
            let byte = bytes.getInteger(at: index, as: UInt8.self)! ^ (1 << UInt8(wrongBit % 8))
            bytes.setInteger(byte, at: index)
        }
        let now = NIODeadline.now()
        lane.lastDue = max(lane.lastDue, now + delay)
        guard lane.lastDue > now else { return channel.writeAndFlush(bytes, promise: nil) }
        let delayed = bytes
        channel.eventLoop.scheduleTask(deadline: lane.lastDue) {
            channel.writeAndFlush(delayed, promise: nil)
        }
    }

    private func end(withReset: Bool) {
        guard !isEnding else { return }
        isEnding = true
        board.leave(self)
        waiting = []
        for channel in [near, far].compactMap({ $0 }) {
            if withReset {
                // Closing a socket that lingers for no time sends a reset. Two 32-bit integers are
                // what a linger is.
                let lingering = (channel as? any SocketOptionProvider)?.unsafeSetSocketOption(
                    level: .socket, name: .so_linger, value: SIMD2<Int32>(1, 0))
                if let lingering {
                    lingering.whenComplete { _ in channel.close(promise: nil) }
                } else {
                    channel.close(promise: nil)
                }
            } else {
                channel.close(promise: nil)
            }
        }
    }
}

/// Tells the tunnel what happens at one of its ends.
final class TunnelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let tunnel: Tunnel
    private let end: Tunnel.End

    init(_ tunnel: Tunnel, _ end: Tunnel.End) {
        self.tunnel = tunnel
        self.end = end
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        tunnel.received(&bytes, at: end)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        tunnel.writabilityChanged(context.channel.isWritable, at: end)
        context.fireChannelWritabilityChanged()
    }

    func channelInactive(context: ChannelHandlerContext) {
        tunnel.closed(end)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
