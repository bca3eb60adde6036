import Logging
import Synchronization
import SynodBytes
import SynodNode
import SynodPaxos
import SynodTransport

/// Between the peer transport and the replica: what the one tells becomes an event of the
/// other, and the node's messages and verdicts go back.
final class PeerBridge: PeerEvents {
    private struct State {
        var transport: PeerTransport?
        var waiting: [ConnectionID: InboundConnection] = [:]
        var nextConnection: UInt64 = 1
        var refusals: [PeerID: String] = [:]
        /// Nil unless the command line asks for faults.
        var injector: FaultInjector?
    }

    /// Messages of so many bytes and more take a connection of their own.
    private static let bulkBytes = 8 << 10

    private let replica: ReplicaLoop
    private let membership: Membership
    private let logger: Logger
    private let onFailure: @Sendable (String) -> Void
    private let state = Mutex(State())

    /// - Parameter onFailure: so many peers refuse this replica that it is of no use.
    init(
        replica: ReplicaLoop, membership: Membership, logger: Logger,
        onFailure: @escaping @Sendable (String) -> Void
    ) {
        self.replica = replica
        self.membership = membership
        self.logger = logger
        self.onFailure = onFailure
    }

    func use(_ transport: PeerTransport) {
        state.withLock { $0.transport = transport }
    }

    func use(_ injector: FaultInjector) {
        state.withLock { $0.injector = injector }
    }

    // MARK: To the peers

    func send(_ messages: [Bytes], to peer: ReplicaID) {
        let (transport, injector) = state.withLock { ($0.transport, $0.injector) }
        guard let transport else { return }
        let id = PeerID(peer.rawValue)
        let send: @Sendable ([Bytes]) -> Void = { Self.send($0, to: id, by: transport) }
        guard let injector else { return send(messages) }
        injector.leaving(messages, to: peer, send: send)
    }

    private static func send(_ messages: [Bytes], to peer: PeerID, by transport: PeerTransport) {
        guard messages.contains(where: isBulk) else { return transport.send(messages, to: peer) }
        transport.send(messages.filter { !isBulk($0) }, to: peer)
        transport.send(messages.filter(isBulk), to: peer, in: .bulk)
    }

    private static func isBulk(_ message: Bytes) -> Bool {
        message.count >= bulkBytes && Message.mayBeOvertaken(message)
    }

    func judge(_ id: ConnectionID, _ verdict: Verdict) {
        let (transport, connection) = state.withLock { state in
            (state.transport, state.waiting.removeValue(forKey: id))
        }
        guard let transport, let connection else { return }
        switch verdict {
        case .accept(let peer, let reply):
            transport.accept(connection, as: PeerID(peer.rawValue), reply: reply)
        case .refuse(let reason):
            logger.error(
                "refused a replica",
                metadata: ["from": "\(connection.remoteAddress)", "because": "\(reason)"])
            transport.refuse(connection, reason: reason)
        }
    }

    // MARK: From the peers

    func helloReceived(_ payload: Bytes, on connection: InboundConnection) {
        let id = state.withLock { state in
            defer { state.nextConnection += 1 }
            let id = ConnectionID(state.nextConnection)
            state.waiting[id] = connection
            return id
        }
        guard !replica.post(.greeted(id, hello: payload)) else { return }
        // A refusal would be held against a peer that nothing is wrong with.
        let transport = state.withLock { state in
            state.waiting[id] = nil
            return state.transport
        }
        logger.warning("hangs up on a peer: the replica is overloaded or stops")
        transport?.dismiss(connection)
    }

    func accepted(by peer: PeerID, reply: Bytes) {
        state.withLock { $0.refusals[peer] = nil }
        logger.info("reaches a peer", metadata: ["peer": "\(peer)"])
        replica.post(.streamOpened(ReplicaID(peer.rawValue), reply: reply))
    }

    /// One peer's refusal may be the peer's own fault; without a majority of the others there is
    /// nothing left to do here.
    func refused(by peer: PeerID, reason: String) {
        logger.error(
            "refused by a peer", metadata: ["peer": "\(peer)", "because": "\(reason)"])
        let count = state.withLock { state in
            state.refusals[peer] = reason
            return state.refusals.count
        }
        if membership.count - count < membership.majority {
            onFailure("its peers refuse this replica: \(reason)")
        }
    }

    func disconnected(_ peer: PeerID, _ direction: StreamDirection, reset: Bool) {
        logger.info(
            "lost a peer", metadata: ["peer": "\(peer)", "direction": "\(direction)"])
        guard direction == .inbound else { return }
        replica.post(.streamLost(ReplicaID(peer.rawValue)))
    }

    func received(_ messages: [Bytes], from peer: PeerID) {
        let peer = ReplicaID(peer.rawValue)
        guard let injector = state.withLock({ $0.injector }) else {
            replica.post(.received(messages, from: peer))
            return
        }
        injector.arriving(messages, from: peer) { [replica] in
            replica.post(.received($0, from: peer))
        }
    }
}
