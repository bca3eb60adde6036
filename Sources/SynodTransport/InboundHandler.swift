import Logging
import NIOCore
import SynodBytes

/// The accepting end of a stream: reads the preface and the hello, waits for the owner's answer,
/// then hands over messages, one call for each read.
final class InboundHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        /// Before the preface → introducing, closing.
        case opening
        /// The preface was good; before the hello → deciding, closing.
        case introducing(version: UInt8)
        /// The owner has the hello → streaming, closing.
        case deciding(version: UInt8, hello: Bytes)
        /// Accepted as this peer, or joined to its stream → closing.
        case streaming(PeerID)
        /// Nothing that still comes counts. The end of the line.
        case closing
    }

    private let limits: TransportLimits
    private let versions: WireVersions
    private let registry: InboundRegistry
    private let events: any PeerEvents
    private var logger: Logger

    private var state = State.opening
    private var parser: FrameParser
    private var burst: [Bytes] = []
    private var handshakeTimeout: Scheduled<Void>?
    private var context: ChannelHandlerContext?
    private var connection: InboundConnection?
    /// Whether the other side ended the connection, as far as is known.
    private var wasReset = false

    init(
        limits: TransportLimits, versions: WireVersions, registry: InboundRegistry,
        events: any PeerEvents, logger: Logger
    ) {
        self.limits = limits
        self.versions = versions
        self.registry = registry
        self.events = events
        self.logger = logger
        parser = FrameParser(largestPayload: limits.handshakeBytes)
    }

    // MARK: The connection

    func channelActive(context: ChannelHandlerContext) {
        let connection = InboundConnection(self, channel: context.channel)
        self.context = context
        logger[metadataKey: "remote"] = "\(connection.remoteAddress)"
        guard registry.admitStranger() else {
            state = .closing
            logger.warning("closed a connection to the peer port: too many are shaking hands")
            context.close(promise: nil)
            return
        }
        self.connection = connection
        handshakeTimeout = context.eventLoop.assumeIsolated().scheduleTask(
            in: limits.handshakeTimeout
        ) {
            self.drop("its handshake took too long")
        }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        if case .closing = state {} else { wasReset = true }
        leave()
        self.context = nil
        connection = nil
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .closing = state { return }
        wasReset = isReset(error)
        logger.debug("lost a connection from a peer: \(brief(error))")
        leave()
        context.close(promise: nil)
    }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .closing = state { return }
        parser.feed(unwrapInboundIn(data))
        do {
            while try advance() {}
        } catch {
            drop(error.description)
        }
        parser.settle()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        deliverBurst()
        context.fireChannelReadComplete()
    }

    /// Takes one step through what was read; false when more bytes are needed.
    private func advance() throws(ProtocolViolation) -> Bool {
        switch state {
        case .closing:
            return false
        case .opening:
            guard let theirs = try parser.nextPreface() else { return false }
            if let version = versions.newestCommon(with: theirs) {
                state = .introducing(version: version)
            } else {
                dismiss(with: .incompatible(versions), "it speaks wire version \(theirs)")
            }
            return true
        case .introducing, .deciding, .streaming:
            guard let frame = try parser.nextFrame(into: &burst) else { return false }
            try handle(frame)
            return true
        }
    }

    private func handle(_ frame: Frame) throws(ProtocolViolation) {
        switch (frame, state) {
        case (.messages, .streaming):
            break
        case (.hello(let payload), .introducing(let version)):
            state = .deciding(version: version, hello: payload)
            if let connection { events.helloReceived(payload, on: connection) }
        case (.join(let hello), .introducing(let version)):
            join(hello, version)
        case (.hello, _), (.join, _), (.accepted, _), (.refused, _), (.incompatible, _),
            (.messages, _):
            throw ProtocolViolation("a frame comes out of turn")
        }
    }

    /// A bulk stream comes after the stream that it belongs to was accepted. One that is too early
    /// or too late is dialled again, or not wanted any more.
    private func join(_ hello: Bytes, _ version: UInt8) {
        guard let context, let connection, let joined = registry.join(connection, hello) else {
            return hangUp()
        }
        joined.replaced?.perform { $0.hangUp() }
        begin(as: joined.peer, version, reply: [], in: context)
    }

    private func deliverBurst() {
        guard !burst.isEmpty, case .streaming(let peer) = state else { return }
        let messages = burst
        burst = []
        let bytes = messages.reduce(0) { $0 + $1.count }
        registry.count(messages: messages.count, bytes: bytes, from: peer)
        events.received(messages, from: peer)
    }

    // MARK: The owner's answer

    /// The registry already knows the connection as the peer's.
    func accept(_ connection: InboundConnection, as peer: PeerID, reply: Bytes) {
        switch state {
        case .deciding(let version, let hello):
            guard let context else { return }
            registry.opened(connection, of: peer, with: hello)
            begin(as: peer, version, reply: reply, in: context)
        case .closing:
            report(lossOf: peer, on: connection)
        case .opening, .introducing, .streaming:
            preconditionFailure("A connection is answered once, after its hello.")
        }
    }

    private func begin(
        as peer: PeerID, _ version: UInt8, reply: Bytes, in context: ChannelHandlerContext
    ) {
        state = .streaming(peer)
        settleHandshake()
        parser.largestPayload = limits.frameBytes
        write(.accepted(version: version, reply: reply), to: context, promise: nil)
    }

    func refuse(reason: String) {
        guard case .deciding = state else { return }
        dismiss(with: .refused(reason: reason), "it was refused: \(reason)")
    }

    /// Closes without a report: a newer connection took this one's place, or nobody is home.
    func hangUp() {
        leave()
        context?.close(promise: nil)
    }

    // MARK: Endings

    private func drop(_ reason: String) {
        if case .closing = state { return }
        logger.warning("dropped a connection from a peer: \(reason)")
        leave()
        context?.close(promise: nil)
    }

    /// Says a last word and closes.
    private func dismiss(with frame: Frame, _ reason: String) {
        guard let context else { return }
        logger.warning("closed a connection from a peer: \(reason)")
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        leave()
        write(frame, to: context, promise: written)
    }

    /// Enters `closing`, once, and tells the owner if it lost a peer.
    private func leave() {
        let previous = state
        state = .closing
        switch previous {
        case .opening, .introducing, .deciding:
            settleHandshake()
        case .streaming(let peer):
            if let connection { report(lossOf: peer, on: connection) }
        case .closing:
            break
        }
    }

    private func report(lossOf peer: PeerID, on connection: InboundConnection) {
        let loss = registry.release(connection, of: peer)
        loss.bulk?.perform { $0.hangUp() }
        if loss.isNews { events.disconnected(peer, .inbound, reset: wasReset) }
    }

    private func settleHandshake() {
        handshakeTimeout?.cancel()
        handshakeTimeout = nil
        registry.strangerSettled()
    }

    private func write(
        _ frame: Frame, to context: ChannelHandlerContext, promise: EventLoopPromise<Void>?
    ) {
        var buffer = context.channel.allocator.buffer(capacity: 256)
        buffer.writeHandshakeFrame(frame)
        context.writeAndFlush(wrapOutboundOut(buffer), promise: promise)
    }
}
