package import Logging
package import NIOCore
import NIOPosix
import Synchronization
package import SynodBytes

/// Moves messages between the members of a cluster, and knows nothing of what they say.
///
/// Every member dials every other, and a dialled connection carries messages from its dialler
/// only: N members have N × (N − 1) streams, so that a fault of one direction stays one. Beside each
/// goes a second connection for bulk, so that what is small does not stand behind it.
///
/// The network gives no promise but this: what arrives on one stream is intact and in order.
/// Messages that find no stream or no room are lost, which Paxos does not mind.
package final class PeerTransport: Sendable {
    private struct State {
        var links: [PeerID: PeerLink] = [:]
        var listeners: [any Channel] = []
        var inbound: [ObjectIdentifier: any Channel] = [:]
        var isShutDown = false
    }

    private let configuration: TransportConfiguration
    private let events: any PeerEvents
    private let group: any EventLoopGroup
    private let logger: Logger
    private let registry: InboundRegistry
    private let state = Mutex(State())

    /// The transport keeps `events` alive until it is itself released. The group stays the
    /// caller's, to be shut down after the transport.
    package init(
        configuration: TransportConfiguration, events: any PeerEvents, group: any EventLoopGroup,
        logger: Logger
    ) {
        configuration.limits.check()
        self.configuration = configuration
        self.events = events
        self.group = group
        self.logger = logger
        registry = InboundRegistry(limits: configuration.limits)
    }

    // MARK: Start and end

    /// Opens the peer port on every configured address and returns the addresses with the ports
    /// that they got. Throws ``TransportError`` naming the address that could not be had.
    package func listen() async throws -> [PeerAddress] {
        var bound: [PeerAddress] = []
        for address in configuration.listen {
            do {
                let channel = try await bootstrap().bind(host: address.host, port: address.port)
                    .get()
                state.withLock { $0.listeners.append(channel) }
                let port = channel.localAddress?.port ?? address.port
                bound.append(PeerAddress(host: address.host, port: port))
            } catch {
                await closeListeners()
                throw TransportError("cannot listen for peers on \(address): \(brief(error))")
            }
        }
        return bound
    }

    /// Keeps a stream to the peer from now on, trying its addresses in turn.
    /// - Parameter hello: what the peer's owner gets to judge this member by; fits a handshake.
    package func dial(_ peer: PeerID, at addresses: [PeerAddress], hello: Bytes) {
        precondition(!addresses.isEmpty, "A peer has an address.")
        precondition(fitsHandshake(hello), "A hello fits its frame.")
        let link = PeerLink(
            peer: peer, addresses: addresses, hello: hello, configuration: configuration,
            events: events, eventLoop: group.next(), logger: logger)
        let isWanted = state.withLock { state in
            precondition(state.links[peer] == nil, "A peer has one link.")
            guard !state.isShutDown else { return false }
            state.links[peer] = link
            return true
        }
        if isWanted { link.start() }
    }

    /// Stops listening and dialling, lets queued messages leave for a moment and closes every
    /// connection. No event comes for what ends here.
    package func shutdown() async {
        registry.shutDown()
        let links = state.withLock { state in
            state.isShutDown = true
            return Array(state.links.values)
        }
        await closeListeners()
        for stopped in links.map({ $0.stop() }) { try? await stopped.get() }
        for channel in state.withLock({ Array($0.inbound.values) }) {
            try? await channel.close().get()
        }
    }

    // MARK: Messages

    /// Queues messages for a peer; from any thread. Those of one lane arrive in order, and those of
    /// the prompt lane overtake those of the bulk lane. They are dropped, and counted, when
    /// no stream stands, when the queue is full, or when one is larger than
    /// ``TransportLimits/messageBytes``.
    package func send(_ messages: [Bytes], to peer: PeerID, in lane: Lane = .prompt) {
        state.withLock { $0.links[peer] }?.send(messages, in: lane)
    }

    /// Takes the connection as the peer's inbound stream, in place of any earlier one; from any
    /// thread. If it is already lost, ``PeerEvents/disconnected(_:_:reset:)`` follows.
    package func accept(_ connection: InboundConnection, as peer: PeerID, reply: Bytes) {
        precondition(fitsHandshake(reply), "A reply fits its frame.")
        for replaced in registry.adopt(connection, as: peer) { replaced.perform { $0.hangUp() } }
        connection.perform { $0.accept(connection, as: peer, reply: reply) }
        state.withLock { $0.links[peer] }?.retryNow()
    }

    /// Tells the stranger why not, and closes; from any thread.
    package func refuse(_ connection: InboundConnection, reason: String) {
        let reason = String(reason.prefix(1000))
        connection.perform { $0.refuse(reason: reason) }
    }

    /// Closes without a verdict, so that whoever dialled tries again; from any thread.
    package func dismiss(_ connection: InboundConnection) {
        connection.perform { $0.hangUp() }
    }

    /// Of every peer that was dialled or accepted.
    package func statistics() -> [PeerID: PeerStatistics] {
        var statistics = state.withLock { $0.links }.mapValues(\.statistics)
        registry.addStatistics(to: &statistics)
        return statistics
    }

    // MARK: The accepting side

    private func bootstrap() -> ServerBootstrap {
        var bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 16)
            .childChannelOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(
                    minimum: 2048, initial: 16384, maximum: 262144)
            )
            .childChannelInitializer { [self] channel in
                guard remember(channel) else { return channel.close() }
                return channel.eventLoop.makeCompletedFuture {
                    let handler = InboundHandler(
                        limits: configuration.limits, versions: configuration.versions,
                        registry: registry, events: events, logger: logger)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
        for (option, value) in livenessOptions(configuration.limits) {
            bootstrap = bootstrap.childChannelOption(option, value: value)
        }
        return bootstrap
    }

    /// Keeps the channel for ``shutdown()`` until it closes; false when that has come already.
    private func remember(_ channel: any Channel) -> Bool {
        let id = ObjectIdentifier(channel)
        let isWanted = state.withLock { state in
            if !state.isShutDown { state.inbound[id] = channel }
            return !state.isShutDown
        }
        channel.closeFuture.whenComplete { [self] _ in
            state.withLock { $0.inbound[id] = nil }
        }
        return isWanted
    }

    private func closeListeners() async {
        let listeners = state.withLock { state in
            defer { state.listeners = [] }
            return state.listeners
        }
        for listener in listeners { try? await listener.close().get() }
    }

    private func fitsHandshake(_ payload: Bytes) -> Bool {
        payload.count <= configuration.limits.handshakeBytes - 2
    }
}
