import Synchronization

/// Which connection is each peer's current inbound stream, and how many strangers are at the door.
final class InboundRegistry: Sendable {
    private struct Peer {
        var connection: InboundConnection?
        var messages: UInt64 = 0
        var bytes: UInt64 = 0
    }

    private struct State {
        var strangers = 0
        var peers: [PeerID: Peer] = [:]
        var isShutDown = false
    }

    private let mostStrangers: Int
    private let state = Mutex(State())

    init(limits: TransportLimits) {
        mostStrangers = limits.halfShaken
    }

    /// Counts a new connection in; false when there are too many, or none is wanted any more.
    func admitStranger() -> Bool {
        state.withLock { state in
            guard !state.isShutDown, state.strangers < mostStrangers else { return false }
            state.strangers += 1
            return true
        }
    }

    /// A stranger was accepted, refused or lost.
    func strangerSettled() {
        state.withLock { $0.strangers -= 1 }
    }

    /// Makes the connection the peer's current one and returns the one that it replaces.
    func adopt(_ connection: InboundConnection, as peer: PeerID) -> InboundConnection? {
        state.withLock { state in
            let previous = state.peers[peer]?.connection
            state.peers[peer, default: Peer()].connection = connection
            return previous
        }
    }

    /// The connection has ended. True when it was the peer's current one and the owner wants to
    /// know.
    func release(_ connection: InboundConnection, of peer: PeerID) -> Bool {
        state.withLock { state in
            guard state.peers[peer]?.connection === connection else { return false }
            state.peers[peer]?.connection = nil
            return !state.isShutDown
        }
    }

    func count(messages: Int, bytes: Int, from peer: PeerID) {
        state.withLock { state in
            state.peers[peer]?.messages += UInt64(messages)
            state.peers[peer]?.bytes += UInt64(bytes)
        }
    }

    /// From now on nobody is admitted and no loss is worth a report.
    func shutDown() {
        state.withLock { $0.isShutDown = true }
    }

    /// Adds the receiving half to the statistics of each peer that was ever accepted.
    func addStatistics(to statistics: inout [PeerID: PeerStatistics]) {
        for (id, peer) in state.withLock({ $0.peers }) {
            statistics[id, default: PeerStatistics()].receivedMessages = peer.messages
            statistics[id, default: PeerStatistics()].receivedBytes = peer.bytes
            statistics[id, default: PeerStatistics()].isHeard = peer.connection != nil
        }
    }
}
