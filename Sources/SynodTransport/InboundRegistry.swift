import Synchronization
import SynodBytes

/// Which connections are each peer's current inbound stream and the bulk stream beside it, and how
/// many strangers are at the door.
final class InboundRegistry: Sendable {
    private struct Peer {
        var connection: InboundConnection?
        /// What the stream began with, once it is open.
        var hello: Bytes?
        var bulk: InboundConnection?
        var messages: UInt64 = 0
        var bytes: UInt64 = 0

        /// Returns what is replaced.
        mutating func replace(with other: InboundConnection?) -> [InboundConnection] {
            defer { (connection, hello, bulk) = (other, nil, nil) }
            return [connection, bulk].compactMap { $0 }
        }
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

    /// Makes the connection the peer's current one and returns those that it replaces.
    func adopt(_ connection: InboundConnection, as peer: PeerID) -> [InboundConnection] {
        state.withLock { state in
            var entry = state.peers[peer] ?? Peer()
            defer { state.peers[peer] = entry }
            return entry.replace(with: connection)
        }
    }

    /// The stream is accepted: another that begins with the same bytes may join it.
    func opened(_ connection: InboundConnection, of peer: PeerID, with hello: Bytes) {
        state.withLock { state in
            guard state.peers[peer]?.connection === connection else { return }
            state.peers[peer]?.hello = hello
        }
    }

    /// Makes the connection the bulk stream beside the one that began with the hello, in place of any
    /// earlier one. Returns whose that is, and what was replaced; nil if there is no such stream.
    func join(
        _ connection: InboundConnection, _ hello: Bytes
    ) -> (peer: PeerID, replaced: InboundConnection?)? {
        state.withLock { state in
            guard let peer = state.peers.first(where: { $0.value.hello == hello })?.key else {
                return nil
            }
            defer { state.peers[peer]?.bulk = connection }
            return (peer, state.peers[peer]?.bulk)
        }
    }

    /// The end of a connection.
    struct Loss {
        /// It was the peer's current stream, and the owner wants to know.
        var isNews = false
        /// What has to end with it.
        var bulk: InboundConnection?
    }

    func release(_ connection: InboundConnection, of peer: PeerID) -> Loss {
        state.withLock { state in
            guard var entry = state.peers[peer] else { return Loss() }
            defer { state.peers[peer] = entry }
            if entry.bulk === connection { entry.bulk = nil }
            guard entry.connection === connection else { return Loss() }
            let bulk = entry.bulk
            _ = entry.replace(with: nil)
            return Loss(isNews: !state.isShutDown, bulk: bulk)
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
            statistics[id, default: PeerStatistics()].hasInboundBulk = peer.bulk != nil
        }
    }
}
