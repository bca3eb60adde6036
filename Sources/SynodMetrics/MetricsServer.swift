package import NIOCore
import NIOPosix
import Synchronization

/// The metrics port: `GET /metrics` in Prometheus' text format and etcd's `GET /health`, over
/// HTTP/1.1 without TLS.
package final class MetricsServer: Sendable {
    /// Asks the replica, once, and completes on any event loop; with nil while it starts or stops.
    package typealias Source = @Sendable () -> EventLoopFuture<MetricsSnapshot?>

    /// A port cannot be opened.
    package struct Failure: Error {
        /// The address that cannot be had, as host and port.
        package let address: String
        package let cause: any Error
    }

    private struct Channels {
        var listeners: [any Channel] = []
        var open: [ObjectIdentifier: any Channel] = [:]
        var isShutDown = false
    }

    private let responder: MetricsResponder
    private let snapshot: Source
    private let group: any EventLoopGroup
    private let limits: MetricsLimits
    /// Renders, one answer at a time, so that no event loop does.
    private let worker = NIOThreadPool(numberOfThreads: 1)
    private let channels = Mutex(Channels())

    /// - Parameter group: stays the caller's, to be shut down after the server.
    package init(
        identity: MetricsIdentity, group: any EventLoopGroup, limits: MetricsLimits = .init(),
        snapshot: @escaping Source
    ) {
        responder = MetricsResponder(identity: identity)
        self.snapshot = snapshot
        self.group = group
        self.limits = limits
    }

    /// Opens the port at each address, and returns what was bound in the same order.
    ///
    /// - Throws: ``Failure`` when an address cannot be bound; none is bound then.
    @discardableResult
    package func start(
        at addresses: [(host: String, port: Int)]
    ) async throws -> [SocketAddress] {
        worker.start()
        var bound: [SocketAddress] = []
        for (host, port) in addresses {
            do {
                let listener = try await bootstrap.bind(host: host, port: port).get()
                channels.withLock { $0.listeners.append(listener) }
                if let address = listener.localAddress { bound.append(address) }
            } catch {
                await shutdown()
                let name = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
                throw Failure(address: name, cause: error)
            }
        }
        return bound
    }

    /// Closes the port and its connections, those that wait for an answer included. The server
    /// cannot be started again.
    package func shutdown() async {
        let all = channels.withLock { channels in
            channels.isShutDown = true
            return channels.listeners + channels.open.values
        }
        for channel in all { try? await channel.close().get() }
        // Waits for the answer that is being made, and drops the others.
        try? await worker.shutdownGracefully()
    }

    private var bootstrap: ServerBootstrap {
        ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Int32(limits.connections))
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            // Whoever sends a little too much is read to the end, or the system would take the
            // refusal back with what nobody has read.
            .childChannelOption(
                .recvAllocator,
                value: FixedSizeRecvByteBufferAllocator(capacity: 2 * limits.requestBytes)
            )
            .childChannelInitializer { [self] channel in
                guard admit(channel) else { return channel.close() }
                return channel.eventLoop.makeCompletedFuture {
                    try MetricsConnection(
                        responder: responder, snapshot: snapshot, worker: worker, limits: limits
                    ).join(channel)
                }
            }
    }

    /// Keeps the channel until it closes, which it does in time; false when there are too many.
    private func admit(_ channel: any Channel) -> Bool {
        let id = ObjectIdentifier(channel)
        let isAdmitted = channels.withLock { channels in
            guard !channels.isShutDown, channels.open.count < limits.connections else {
                return false
            }
            channels.open[id] = channel
            return true
        }
        guard isAdmitted else { return false }
        let deadline = channel.eventLoop.scheduleTask(
            in: .milliseconds(limits.connectionMilliseconds)
        ) { channel.close(promise: nil) }
        channel.closeFuture.whenComplete { [self] _ in
            deadline.cancel()
            channels.withLock { $0.open[id] = nil }
        }
        return true
    }
}
