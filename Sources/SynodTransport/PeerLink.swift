import Logging
import NIOCore
import SynodBytes

/// Which of the two connections to a peer a message takes.
package enum Lane: Hashable, Sendable {
    /// The stream itself. What is small and waited for gets ahead of bulk.
    case prompt
    /// The connection beside it, which stands only while the stream does.
    case bulk
}

/// The streams to one peer: the one on which the peer is known and lost, and one for bulk beside it.
///
/// In one connection a small message waits until the payloads before it have left, which on a busy
/// link takes longer than everything else. Connections share a link, and the system lets none of
/// them have much in front of the others.
final class PeerLink: Sendable {
    private let peer: PeerID
    private let addresses: [PeerAddress]
    private let hello: Bytes
    private let configuration: TransportConfiguration
    private let events: any PeerEvents
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let promptQueue: OutboundQueue
    private let bulkQueue: OutboundQueue
    private let diallers: NIOLoopBoundBox<Diallers>

    private struct Diallers {
        /// Nil after the end.
        var prompt: Dialler?
        /// Nil while no stream stands.
        var bulk: Dialler?
    }

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
        promptQueue = OutboundQueue(limits: configuration.limits)
        bulkQueue = OutboundQueue(limits: configuration.limits)
        diallers = .makeBoxSendingValue(Diallers(), eventLoop: eventLoop)
    }

    // MARK: For any thread

    /// Begins to dial. To be called once.
    func start() {
        eventLoop.execute { self.diallers.value.prompt = self.dial(.prompt) }
    }

    /// Queues messages, waking the event loop at most once for all of them. Where there is no bulk
    /// stream, all of them take the other.
    func send(_ messages: [Bytes], in lane: Lane) {
        let isBulk = lane == .bulk && bulkQueue.isOpen
        guard (isBulk ? bulkQueue : promptQueue).append(messages) else { return }
        eventLoop.execute {
            let diallers = self.diallers.value
            (isBulk ? diallers.bulk : diallers.prompt)?.drain()
        }
    }

    /// The peer was just heard: an attempt now is likely to succeed.
    func retryNow() {
        eventLoop.execute { self.diallers.value.prompt?.retryNow() }
    }

    /// Ends both streams, letting queued messages leave, and dials no more; completes when the
    /// connections are closed.
    func stop() -> EventLoopFuture<Void> {
        eventLoop.flatSubmit {
            let diallers = self.diallers.value
            self.diallers.value = Diallers()
            let ends = [diallers.bulk, diallers.prompt].compactMap { $0?.stop() }
            return .andAllComplete(ends, on: self.eventLoop)
        }
    }

    /// Of both streams together.
    var statistics: PeerStatistics {
        var statistics = promptQueue.statistics
        statistics.add(bulk: bulkQueue.statistics)
        return statistics
    }

    // MARK: On the event loop

    private func dial(_ lane: Lane) -> Dialler {
        var logger = logger
        if lane == .bulk { logger[metadataKey: "lane"] = "bulk" }
        let dialler = Dialler(
            lane, queue: lane == .prompt ? promptQueue : bulkQueue, addresses: addresses,
            hello: hello, configuration: configuration, owner: self, eventLoop: eventLoop,
            logger: logger)
        dialler.connect()
        return dialler
    }
}

extension PeerLink: DiallerOwner {
    func accepted(_ lane: Lane, reply: Bytes) {
        guard lane == .prompt else { return }
        events.accepted(by: peer, reply: reply)
        if diallers.value.prompt != nil { diallers.value.bulk = dial(.bulk) }
    }

    func refused(_ lane: Lane, reason: String) {
        if lane == .prompt { events.refused(by: peer, reason: reason) }
    }

    /// What was in a bulk stream that ended alone is lost, and its dialler makes another.
    func ended(_ lane: Lane, reset: Bool) {
        guard lane == .prompt else { return }
        _ = diallers.value.bulk?.stop()
        diallers.value.bulk = nil
        events.disconnected(peer, .outbound, reset: reset)
    }
}
