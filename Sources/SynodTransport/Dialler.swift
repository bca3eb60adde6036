import Logging
import NIOCore
import NIOPosix
import SynodBytes

/// What a dialler tells the link that it works for; called on the event loop.
protocol DiallerOwner: AnyObject, Sendable {
    func accepted(_ lane: Lane, reply: Bytes)
    func refused(_ lane: Lane, reason: String)
    /// An accepted stream ended.
    func ended(_ lane: Lane, reset: Bool)
}

/// Keeps one stream to a peer: connects, waits longer after each failure, starts over when the stream
/// ends. Lives on one event loop.
final class Dialler: Sendable {
    private enum State {
        /// The timer leads to the next attempt → connecting, stopped.
        case waiting(Scheduled<Void>)
        /// A TCP connection is being made → streaming, waiting, stopped.
        case connecting
        /// From the handshake to the end of the connection → waiting, stopped.
        case streaming(any Channel, OutboundHandler, since: NIODeadline)
        /// Shut down, after which nothing begins.
        case stopped
    }

    /// What changes, on the event loop only.
    private struct Mutable {
        var state: State
        var backoff: Backoff
        var nextAddress = 0
        /// Whether the latest failure has been logged where an operator looks.
        var isFailureKnown = false
    }

    private let lane: Lane
    private let queue: OutboundQueue
    private let addresses: [PeerAddress]
    private let hello: Bytes
    private let configuration: TransportConfiguration
    private let owner: any DiallerOwner
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let mutable: NIOLoopBoundBox<Mutable>

    /// The owner is kept until ``stop()``.
    init(
        _ lane: Lane, queue: OutboundQueue, addresses: [PeerAddress], hello: Bytes,
        configuration: TransportConfiguration, owner: any DiallerOwner, eventLoop: any EventLoop,
        logger: Logger
    ) {
        self.lane = lane
        self.queue = queue
        self.addresses = addresses
        self.hello = hello
        self.configuration = configuration
        self.owner = owner
        self.eventLoop = eventLoop
        self.logger = logger
        let backoff = Backoff(limits: configuration.limits, seed: .random(in: 0 ... .max))
        mutable = .makeBoxSendingValue(
            Mutable(state: .connecting, backoff: backoff), eventLoop: eventLoop)
    }

    /// More messages wait in the queue.
    func drain() {
        if case .streaming(_, let handler, _) = mutable.value.state { handler.drain() }
    }

    /// An attempt now is likely to succeed.
    func retryNow() {
        mutable.value.backoff.reset()
        guard case .waiting(let timer) = mutable.value.state else { return }
        timer.cancel()
        connect()
    }

    /// Ends the stream, letting queued messages leave, and dials no more; completes when the
    /// connection is closed.
    func stop() -> EventLoopFuture<Void> {
        let previous = mutable.value.state
        mutable.value.state = .stopped
        switch previous {
        case .waiting(let timer):
            timer.cancel()
        case .streaming(let channel, let handler, _):
            handler.finish()
            return channel.closeFuture
        case .connecting, .stopped:
            break
        }
        return eventLoop.makeSucceededVoidFuture()
    }

    /// Begins an attempt.
    func connect() {
        if case .stopped = mutable.value.state { return }
        mutable.value.state = .connecting
        let address = addresses[mutable.value.nextAddress]
        mutable.value.nextAddress = (mutable.value.nextAddress + 1) % addresses.count
        var bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(configuration.limits.connectTimeout)
            .channelOption(
                .writeBufferWaterMark,
                value: .init(
                    low: max(1, configuration.limits.writeWatermark / 4),
                    high: configuration.limits.writeWatermark)
            )
        for (option, value) in livenessOptions(configuration.limits) {
            bootstrap = bootstrap.channelOption(option, value: value)
        }
        bootstrap.connect(host: address.host, port: address.port).hop(to: eventLoop)
            .assumeIsolated().whenComplete { result in
                switch result {
                case .success(let channel): self.connected(channel, at: address)
                case .failure(let error): self.failed(error, at: address)
                }
            }
    }

    /// The handler is added here, on the loop that just finished connecting, because of several
    /// attempts on a name with several addresses only one gets this far.
    private func connected(_ channel: any Channel, at address: PeerAddress) {
        guard case .connecting = mutable.value.state else {
            channel.close(promise: nil)
            return
        }
        let handler = OutboundHandler(
            introduction: lane == .prompt ? .hello(hello) : .join(hello),
            versions: configuration.versions, limits: configuration.limits,
            queue: queue, owner: self, logger: logger)
        mutable.value.state = .streaming(channel, handler, since: .now())
        do {
            guard channel.isActive else { throw ChannelError.eof }
            try channel.pipeline.syncOperations.addHandler(handler)
        } catch {
            mutable.value.state = .connecting
            failed(error, at: address)
        }
    }

    private func failed(_ error: any Error, at address: PeerAddress) {
        guard case .connecting = mutable.value.state else { return }
        let level: Logger.Level = mutable.value.isFailureKnown ? .debug : .warning
        logger.log(level: level, "cannot reach a peer at \(address): \(brief(error))")
        mutable.value.isFailureKnown = true
        waitAndConnect()
    }

    private func waitAndConnect() {
        if case .stopped = mutable.value.state { return }
        let wait = mutable.value.backoff.next()
        let timer = eventLoop.assumeIsolated().scheduleTask(in: wait) { self.connect() }
        mutable.value.state = .waiting(timer)
    }
}

extension Dialler: OutboundStreamOwner {
    func streamAccepted(reply: Bytes) {
        mutable.value.isFailureKnown = false
        logger.info("connected to a peer")
        owner.accepted(lane, reply: reply)
    }

    func streamRefused(reason: String) {
        mutable.value.backoff.exhaust()
        logger.error("a peer refused this replica: \(reason)")
        owner.refused(lane, reason: reason)
    }

    func streamEnded(wasAccepted: Bool, reset: Bool) {
        if case .stopped = mutable.value.state { return }
        if case .streaming(_, _, let since) = mutable.value.state, wasAccepted,
            .now() - since >= configuration.limits.longestBackoff
        {
            mutable.value.backoff.reset()
        }
        waitAndConnect()
        if wasAccepted { owner.ended(lane, reset: reset) }
    }
}
