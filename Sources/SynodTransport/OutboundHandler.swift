import Logging
import NIOCore
import SynodBytes

/// What an outbound stream tells the dialler that made it; called on the event loop.
protocol OutboundStreamOwner: AnyObject {
    /// The peer accepted the stream.
    func streamAccepted(reply: Bytes)
    /// The peer answered that it will not have this member.
    func streamRefused(reason: String)
    /// The connection is gone. `wasAccepted` tells whether messages could flow on it.
    func streamEnded(wasAccepted: Bool, reset: Bool)
}

/// The dialling end of a stream: introduces this member, then writes what the queue holds as
/// fast as the connection takes it and no faster.
final class OutboundHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State {
        /// Before the acceptor's answer → streaming, closing.
        case shaking
        /// Messages flow → closing.
        case streaming
        /// Nothing is read or written any more. The end of the line.
        case closing
    }

    private let introduction: Frame
    private let versions: WireVersions
    private let limits: TransportLimits
    private let queue: OutboundQueue
    private let owner: any OutboundStreamOwner
    private let logger: Logger

    private var state = State.shaking
    private var parser: FrameParser
    private var handshakeTimeout: Scheduled<Void>?
    private var context: ChannelHandlerContext?
    private var wasAccepted = false
    private var wasReset = false

    /// Messages taken from the queue, written up to `nextMessage`.
    private var batch: [Bytes] = []
    private var nextMessage = 0
    private var isDraining = false

    init(
        introduction: Frame, versions: WireVersions, limits: TransportLimits,
        queue: OutboundQueue, owner: any OutboundStreamOwner, logger: Logger
    ) {
        self.introduction = introduction
        self.versions = versions
        self.limits = limits
        self.queue = queue
        self.owner = owner
        self.logger = logger
        parser = FrameParser(largestPayload: limits.handshakeBytes)
    }

    // MARK: The connection

    /// The channel is connected already.
    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        handshakeTimeout = context.eventLoop.assumeIsolated().scheduleTask(
            in: limits.handshakeTimeout
        ) {
            self.drop("it did not answer our hello in time")
        }
        var buffer = context.channel.allocator.buffer(capacity: 1024)
        versions.writePreface(into: &buffer)
        buffer.writeHandshakeFrame(introduction)
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        if case .closing = state {} else { wasReset = true }
        leave()
        self.context = nil
        owner.streamEnded(wasAccepted: wasAccepted, reset: wasReset)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .closing = state { return }
        wasReset = isReset(error)
        logger.debug("lost the connection to a peer: \(brief(error))")
        leave()
        context.close(promise: nil)
    }

    // MARK: The answer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .closing = state { return }
        parser.feed(unwrapInboundIn(data))
        do {
            var stray: [Bytes] = []
            while let frame = try parser.nextFrame(into: &stray) { try handle(frame) }
        } catch {
            drop(error.description)
        }
        parser.settle()
    }

    private func handle(_ frame: Frame) throws(ProtocolViolation) {
        guard case .shaking = state else {
            throw ProtocolViolation("it sent something on a stream that is ours")
        }
        switch frame {
        case .accepted(let version, let reply):
            guard versions.smallest...versions.largest ~= version else {
                throw ProtocolViolation("it chose wire version \(version), which was not offered")
            }
            handshakeTimeout?.cancel()
            state = .streaming
            wasAccepted = true
            queue.open()
            owner.streamAccepted(reply: reply)
        case .refused(let reason):
            leave()
            context?.close(promise: nil)
            owner.streamRefused(reason: reason)
        case .incompatible(let theirs):
            throw ProtocolViolation("it speaks wire version \(theirs), this replica \(versions)")
        case .hello, .join, .messages:
            throw ProtocolViolation("a frame comes out of turn")
        }
    }

    // MARK: Writing

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        drain()
        context.fireChannelWritabilityChanged()
    }

    /// Writes what waits until all of it is written or the connection has enough. In the second
    /// case the change of writability calls again.
    func drain() {
        guard case .streaming = state, !isDraining, let context else { return }
        isDraining = true
        defer { isDraining = false }
        while context.channel.isWritable, refillBatch() {
            while context.channel.isWritable, nextMessage < batch.count {
                writeFrame(to: context)
            }
            context.flush()
        }
    }

    private func refillBatch() -> Bool {
        if nextMessage == batch.count {
            batch = queue.take()
            nextMessage = 0
        }
        return nextMessage < batch.count
    }

    private func writeFrame(to context: ChannelHandlerContext) {
        var buffer = context.channel.allocator.buffer(capacity: 0)
        let end = buffer.writeMessageFrame(batch, from: nextMessage, limits: limits)
        var bytes = 0
        for index in nextMessage..<end {
            bytes += batch[index].count
            batch[index] = []
        }
        queue.written(messages: end - nextMessage, bytes: bytes)
        nextMessage = end
        context.write(wrapOutboundOut(buffer), promise: nil)
    }

    // MARK: Endings

    /// Closes once what is written now has left, or the farewell has taken too long.
    func finish() {
        drain()
        leave()
        guard let context else { return }
        let close = { context.close(promise: nil) }
        let isolated = context.eventLoop.assumeIsolated()
        let timeout = isolated.scheduleTask(in: limits.farewell, close)
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in
            timeout.cancel()
            close()
        }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer()), promise: written)
    }

    private func drop(_ reason: String) {
        if case .closing = state { return }
        logger.warning("dropped the connection to a peer: \(reason)")
        leave()
        context?.close(promise: nil)
    }

    private func leave() {
        if case .closing = state { return }
        state = .closing
        handshakeTimeout?.cancel()
        if wasAccepted { queue.close() }
        batch = []
        nextMessage = 0
    }
}
