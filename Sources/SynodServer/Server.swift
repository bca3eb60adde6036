package import Logging
import NIOCore
import NIOPosix
import Synchronization
import SynodAPI
import SynodDisk
import SynodMetrics
import SynodNode
import SynodPaxos
import SynodStorage
import SynodTransport

/// A replica as a process: its data directory, threads and ports, from start to graceful end.
package enum Server {
    /// Why the server ended although nobody asked it to; one sentence for the operator.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    /// Serves until the process is asked to end with SIGTERM or SIGINT.
    ///
    /// Throws ``Failure``, with the data intact, when a port, the data directory or a peer's
    /// refusal makes it impossible to serve, or when the disk fails, be it on the way to the end. An
    /// end that takes too long ends the process: see ``EndWatch``.
    ///
    /// - Parameter faults: how often to fail on purpose; nil, and nothing is in the way.
    package static func run(
        _ configuration: ServerConfiguration, faults: FaultPlan? = nil, logger: Logger
    ) async throws {
        let files = Platform.raiseFileLimit()
        guard files >= fewestFiles else {
            throw Failure(
                description: "this process may open \(files) files, and needs \(fewestFiles): "
                    + "raise the limit (ulimit -n, or LimitNOFILE in a unit file)")
        }
        let end = EndOfService()
        let endWatch = EndWatch(logger)
        let signals = EndSignals()
        Platform.startThread("synod-signals") {
            let signal = signals.wait()
            endWatch.start()
            end.finish(.asked(signal))
        }
        var disk: Disk
        do throws(StorageError) {
            let forgetsState = faults != nil && StateWipe(configuration).take()
            disk = try Disk(configuration, forgetsState: forgetsState, logger)
        } catch {
            throw Failure(description: ReplicaLoop.describe(error))
        }
        let loops = EventLoops()
        let replica = ReplicaLoop(on: loops.replica)
        let membership = Membership(configuration.initialCluster.map { ReplicaID($0.id) })
        let bridge = PeerBridge(
            replica: replica, membership: membership, logger: logger,
            onFailure: { end.finish(.failed($0)) })
        let transport = PeerTransport(
            configuration: TransportConfiguration(
                listen: configuration.listenPeerURLs.map { PeerAddress($0) }),
            events: bridge, group: loops.replica, logger: logger)
        bridge.use(transport)
        let api = APIServer(
            configuration: apiConfiguration(configuration), sink: replica, group: loops.clients)

        let metrics = metricsServer(
            configuration, replica: replica, transport: transport, group: loops.clients)

        let node = try makeNode(configuration, membership, &disk)
        let greetings = membership.replicas.map { ($0, node.hello(to: $0)) }
        if let faults {
            bridge.use(
                FaultInjector(
                    faults, boot: node.boot, on: loops.replica, configuration, logger))
        }
        _ = try await transport.listen()
        try await listen(api, metrics, configuration)
        replica.start(
            consume node, log: disk.log,
            in: ReplicaLoop.Surroundings(
                peers: bridge, answerSinks: api.answerSinks, directory: disk.directory,
                logger: logger, onFailure: { end.finish(.failed($0)) },
                onReady: { sayReady(configuration, logger) }))
        for (peer, greeting) in greetings where peer.rawValue != configuration.member.id {
            guard
                let member = configuration.initialCluster.first(where: { $0.id == peer.rawValue })
            else { continue }
            transport.dial(
                PeerID(peer.rawValue), at: member.peerURLs.map { PeerAddress($0) }, hello: greeting)
        }
        let watch = SpaceWatch(directory: disk.directory, replica: replica, logger: logger)
        watch.start()

        let reason = await end.wait()
        watch.stop()
        switch reason {
        case .asked(let signal):
            logger.notice("stops", metadata: ["because": "\(signal)"])
            await api.shutdown(finishingCalls: true)
            await transport.shutdown()
        case .failed:
            // Nothing comes of any call here, and peers look for another leader as soon as their
            // connections break.
            endWatch.start()
            await transport.shutdown()
            await api.shutdown(finishingCalls: false)
        }
        await metrics?.shutdown()
        await replica.stop()
        disk.log.close()
        await loops.shutDown()
        endWatch.stop()
        if let message = end.failure { throw Failure(description: message) }
    }

    private static func listen(
        _ api: APIServer, _ metrics: MetricsServer?, _ configuration: ServerConfiguration
    ) async throws {
        do {
            _ = try await api.start()
            try await metrics?.start(
                at: configuration.listenMetricsURLs.map { ($0.bindHost, $0.port) })
        } catch let failure as APIServer.Failure {
            throw Failure(
                description: "cannot listen for clients on \(failure.address): "
                    + brief(failure.cause))
        } catch let failure as MetricsServer.Failure {
            throw Failure(
                description: "cannot listen for metrics on \(failure.address): "
                    + brief(failure.cause))
        }
    }

    private static func apiConfiguration(_ configuration: ServerConfiguration)
        -> APIConfiguration
    {
        APIConfiguration(
            listen: configuration.listenClientURLs.map {
                APIConfiguration.Address(host: $0.bindHost, port: $0.port)
            }, clusterID: configuration.clusterID, memberID: configuration.member.id,
            members: configuration.initialCluster.map { member in
                APIConfiguration.Member(
                    id: member.id, name: member.name, peerURLs: member.peerURLs.map(\.description))
            }, maxRequestBytes: configuration.maxRequestBytes,
            maxTxnOps: configuration.maxTxnOps)
    }

    /// Nil when nobody wants metrics.
    private static func metricsServer(
        _ configuration: ServerConfiguration, replica: ReplicaLoop, transport: PeerTransport,
        group: any EventLoopGroup
    ) -> MetricsServer? {
        guard !configuration.listenMetricsURLs.isEmpty else { return nil }
        return MetricsServer(
            identity: MetricsIdentity(
                member: configuration.member.id, version: EtcdVersion.server),
            group: group
        ) {
            replica.observe().map { observation in
                observation.map {
                    MetricsSnapshot(
                        status: $0.status, leadersSeen: $0.leadersSeen,
                        peers: transport.statistics())
                }
            }
        }
    }

    /// Stores, logs, event loops and a few connections.
    private static let fewestFiles: UInt64 = 128

    private static func makeNode(
        _ configuration: ServerConfiguration, _ membership: Membership, _ disk: inout Disk
    ) throws -> ReplicaLoop.ServerNode {
        let timing = Timing(
            heartbeat: .milliseconds(UInt64(configuration.heartbeatMilliseconds)),
            election: .milliseconds(UInt64(configuration.electionMilliseconds)))
        let directory = disk.directory
        guard let state = disk.state.take() else {
            preconditionFailure("A node is made once.")
        }
        do throws(StorageError) {
            return try Node(
                NodeConfiguration(
                    identity: ReplicaID(configuration.member.id),
                    cluster: configuration.clusterID, membership: membership, timing: timing,
                    clientURLs: configuration.advertiseClientURLs.map(\.description),
                    incarnation: disk.incarnation, session: Platform.random(),
                    snapshotCount: UInt64(configuration.snapshotCount),
                    quotaBytes: configuration.quotaBytes.map { UInt64($0) },
                    proposers: configuration.proposers),
                log: disk.log, state: state, seed: Platform.random(), now: Platform.now(),
                makeState: { () throws(StorageError) in
                    let (number, store) = try directory.createState()
                    return (UInt64(number), store)
                })
        } catch {
            throw Failure(description: ReplicaLoop.describe(error))
        }
    }

    /// The three lines that launchers written for etcd wait for.
    private static func sayReady(_ configuration: ServerConfiguration, _ logger: Logger) {
        let clients = configuration.listenClientURLs.map(\.description).joined(separator: ",")
        logger.notice(
            "enabled capabilities for version", metadata: ["cluster-version": "3.6"])
        logger.notice(
            "published local member to cluster",
            metadata: [
                "name": "\(configuration.name)", "member": "\(hex(configuration.member.id))",
            ])
        logger.notice("ready to serve client requests", metadata: ["address": "\(clients)"])
    }

    private static func hex(_ number: UInt64) -> String { String(number, radix: 16) }
}

/// The threads that wait for sockets.
private struct EventLoops {
    /// The replica's and its peers'.
    let replica: any EventLoop
    /// The clients'.
    let clients: any EventLoopGroup
    private let groups: [MultiThreadedEventLoopGroup]

    /// With two processors or fewer one loop does everything; with more, half of them, at most
    /// four, are the clients'.
    init() {
        let own = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        replica = own.next()
        if System.coreCount <= 2 {
            clients = own
            groups = [own]
        } else {
            let others = MultiThreadedEventLoopGroup(
                numberOfThreads: min(4, System.coreCount / 2))
            clients = others
            groups = [own, others]
        }
    }

    func shutDown() async {
        for group in groups { try? await group.shutdownGracefully() }
    }
}

/// What a replica keeps on disk, opened.
private struct Disk {
    let directory: DataDirectory
    let log: Journal
    /// Until a node owns it: the node may put another in its place.
    var state: RocksStore?
    let incarnation: UInt64

    /// - Parameter forgetsState: the state is removed first, if the log has all of it.
    init(
        _ configuration: ServerConfiguration, forgetsState: Bool, _ logger: Logger
    ) throws(StorageError) {
        directory = try DataDirectory(path: configuration.dataDirectory)
        let identity = try directory.establish(
            MemberIdentity(
                clusterID: configuration.clusterID, memberID: configuration.member.id,
                incarnation: Platform.random(), name: configuration.name))
        incarnation = identity.incarnation
        log = try directory.openLog()
        if try LogSchema.isNew(log) {
            // Anything there is left from a first start that was cut short.
            try directory.removeStates(except: [])
            state = try directory.createState().store
            return
        }
        let number = UInt32(truncatingIfNeeded: try LogSchema.currentState(in: log))
        let isForgotten = forgetsState ? try StateWipe.isSafe(log, logger) : false
        try directory.removeStates(except: isForgotten ? [] : [number])
        if try directory.hasState(number) {
            state = try directory.openState(number)
        } else {
            logger.warning("the state is lost: it is learned again from the log or from a peer")
            state = try directory.replaceState(number)
        }
    }
}

/// Why a server ends, settled once and awaited once, and what went wrong first, be it on the way to
/// the end.
private final class EndOfService: Sendable {
    enum Reason: Sendable {
        /// By a signal.
        case asked(String)
        case failed(String)
    }

    private let stream: AsyncStream<Reason>
    private let continuation: AsyncStream<Reason>.Continuation
    private let firstFailure = Mutex<String?>(nil)

    var failure: String? { firstFailure.withLock { $0 } }

    init() {
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(1))
    }

    func finish(_ reason: Reason) {
        if case .failed(let message) = reason { firstFailure.withLock { $0 = $0 ?? message } }
        continuation.yield(reason)
        continuation.finish()
    }

    func wait() async -> Reason {
        for await reason in stream { return reason }
        let reason = Reason.failed("the server was cancelled")
        finish(reason)
        return reason
    }
}

extension PeerAddress {
    fileprivate init(_ url: ServerConfiguration.URL) {
        self.init(host: url.bindHost, port: url.port)
    }
}
