package import NIOCore
import NIOPosix
import Synchronization
import SynodGRPC
package import SynodNode

/// The client port: etcd's services over gRPC.
package final class APIServer: Sendable {
    /// The port cannot be opened.
    package struct Failure: Error {
        /// The address that cannot be had, as host and port.
        package let address: String
        package let cause: any Error
    }

    private let configuration: APIConfiguration
    private let limits: GRPCLimits
    private let group: any EventLoopGroup
    private let sinks: [EventLoopSink]
    private let listeners = Mutex<[any Channel]>([])

    /// One sink for each event loop of the group; a request's token tells the index.
    package var answerSinks: [any AnswerSink] { sinks }

    package init(
        configuration: APIConfiguration, sink: any RequestSink, group: any EventLoopGroup
    ) {
        self.configuration = configuration
        self.group = group
        var limits = GRPCLimits()
        limits.messageBytes = configuration.maxRequestBytes + APILimits.messageOverheadBytes
        self.limits = limits
        sinks = group.makeIterator().enumerated().map { index, eventLoop in
            EventLoopSink(
                service: APIService(
                    configuration: configuration, sink: sink, sinkIndex: UInt32(index)),
                eventLoop: eventLoop)
        }
    }

    /// Opens the port, and returns the addresses in the order of the configuration.
    ///
    /// - Throws: ``Failure`` when an address cannot be bound; none is bound then.
    @discardableResult
    package func start() async throws -> [SocketAddress] {
        var addresses: [SocketAddress] = []
        for address in configuration.listen {
            do {
                let listener = try await bootstrap.bind(host: address.host, port: address.port)
                    .get()
                listeners.withLock { $0.append(listener) }
                if let bound = listener.localAddress { addresses.append(bound) }
            } catch {
                await closeListeners()
                throw Failure(address: "\(address)", cause: error)
            }
        }
        return addresses
    }

    /// Closes the port; later answers are dropped.
    ///
    /// - Parameter finishingCalls: whether calls in flight are answered first, if that takes no longer
    ///   than two seconds; else their connections break.
    package func shutdown(finishingCalls: Bool = true) async {
        let grace = TimeAmount.milliseconds(finishingCalls ? APILimits.shutdownMilliseconds : 0)
        await closeListeners()
        await withTaskGroup { tasks in
            for sink in sinks {
                tasks.addTask { await sink.shutDown(within: grace) }
            }
        }
    }

    private var bootstrap: ServerBootstrap {
        let sinks = Dictionary(
            uniqueKeysWithValues: sinks.map { (ObjectIdentifier($0.eventLoop), $0) })
        let limits = limits
        return ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 1_024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(
                .writeBufferWaterMark,
                value: .init(
                    low: limits.socketHighWaterBytes / 4, high: limits.socketHighWaterBytes)
            )
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    guard let sink = sinks[ObjectIdentifier(channel.eventLoop)] else {
                        preconditionFailure("Channels live on the group's event loops.")
                    }
                    try sink.service.value.accept(channel, limits: limits)
                }
            }
    }

    private func closeListeners() async {
        let open = listeners.withLock { listeners in
            defer { listeners = [] }
            return listeners
        }
        for listener in open { try? await listener.close() }
    }
}
