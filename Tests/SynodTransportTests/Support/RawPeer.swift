import NIOCore
import Synchronization
import SynodBytes
import SynodTransport

/// A peer written out by hand: it takes every connection, and answers and reads those that the test
/// wants it to.
final class RawPeer: Sendable {
    static let id = PeerID(9)
    /// The stream and the connection beside it, as they came.
    private let kept: Kept
    private let listener: any Channel
    let address: PeerAddress

    private final class Kept: Sendable {
        let connections = Mutex<[RawConnection]>([])
    }

    init() async throws {
        let kept = Kept()
        self.kept = kept
        (listener, address) = try await RawConnection.listen { connection in
            kept.connections.withLock { $0.append(connection) }
        }
    }

    var connections: [RawConnection] { kept.connections.withLock { $0 } }

    /// Waits for the connection that comes as this one, from 0, accepts and, if wanted, reads it.
    func accept(_ number: Int, reads: Bool = true) async throws -> RawConnection? {
        guard await eventually({ self.connections.count > number }) else { return nil }
        let connection = connections[number]
        if reads { try await connection.channel.setOption(.autoRead, value: true).get() }
        try await connection.write(Wire.accepted([9]))
        return connection
    }

    func close() async throws {
        try await listener.close().get()
    }
}
