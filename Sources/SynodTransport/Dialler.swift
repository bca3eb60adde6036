import Logging
import NIOCore
import NIOPosix
import SynodBytes

/// Keeps one peer dialled: connects, waits longer after each failure, starts over when a stream
/// ends. All of its changes happen on one event loop.
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

    let peer: PeerID
    let queue: OutboundQueue
    private let addresses: [PeerAddress]
    private let hello: Bytes
    private let configuration: TransportConfiguration
    private let events: any PeerEvents
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let mutable: NIOLoopBoundBox<Mutable>

    init(
        peer: PeerID, addresses: [PeerAddress], hello: Bytes,
        configuration: TransportConfiguration, events: any PeerEvents, eventLoop: any EventLoop,
        logger: Logger
    ) {
        self.peer = peer
        self.addresses = addresses
        self.hello = hello
        self.configuration = configuration
        self.events = events
        self.eventLoop = eventLoop
        var logger = logger
        logger[metadataKey: "peer"] = "\(peer)"
        self.logger = logger
        queue = OutboundQueue(limits: configuration.limits)
        let backoff = Backoff(limits: configuration.limits, seed: .random(in: 0 ... .max))
        mutable = .makeBoxSendingValue(
            Mutable(state: .connecting, backoff: backoff), eventLoop: eventLoop)
    }

    // MARK: For any thread

    /// Begins the first attempt. To be called once.
    func start() {
        eventLoop.execute { self.connect() }
    }

    /// Queues messages, waking the event loop at most once for all of them.
    func send(_ messages: [Bytes]) {
        guard queue.append(messages) else { return }
        eventLoop.execute {
            if case .streaming(_, let handler, _) = self.mutable.value.state { handler.drain() }
        }
    }

    /// The peer was just heard: an attempt now is likely to succeed.
    func retryNow() {
        eventLoop.execute {
            self.mutable.value.backoff.reset()
            guard case .waiting(let timer) = self.mutable.value.state else { return }
            timer.cancel()
            self.connect()
        }
    }

    /// Ends the stream, letting queued messages leave, and dials no more; completes when the
    /// connection is closed.
    func stop() -> EventLoopFuture<Void> {
        eventLoop.flatSubmit {
            let previous = self.mutable.value.state
            self.mutable.value.state = .stopped
            switch previous {
            case .waiting(let timer):
                timer.cancel()
            case .streaming(let channel, let handler, _):
                handler.finish()
                return channel.closeFuture
            case .connecting, .stopped:
                break
            }
            return self.eventLoop.makeSucceededVoidFuture()
        }
    }

    // MARK: On the event loop

    private func connect() {
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
            hello: hello, versions: configuration.versions, limits: configuration.limits,
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
        events.accepted(by: peer, reply: reply)
    }

    func streamRefused(reason: String) {
        mutable.value.backoff.exhaust()
        logger.error("a peer refused this replica: \(reason)")
        events.refused(by: peer, reason: reason)
    }

    func streamEnded(wasAccepted: Bool, reset: Bool) {
        if case .stopped = mutable.value.state { return }
        if case .streaming(_, _, let since) = mutable.value.state, wasAccepted,
            .now() - since >= configuration.limits.longestBackoff
        {
            mutable.value.backoff.reset()
        }
        waitAndConnect()
        if wasAccepted { events.disconnected(peer, .outbound, reset: reset) }
    }
}
