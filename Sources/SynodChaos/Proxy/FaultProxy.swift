import NIOCore
import NIOPosix

/// A door in front of every member's peer port. The doors' ports are what members advertise, so
/// that all they say to each other passes here; behind a door is the port that the member listens on.
package final class FaultProxy: Sendable {
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let board: FaultBoard
    private let doors: [any Channel]

    /// The doors' ports, one for each member.
    package let ports: [Int]

    /// Opens the doors. Throws ``ChaosError``.
    ///
    /// - Parameters:
    ///   - destinations: The port that each member listens on for its peers.
    ///   - identities: The id of each member, given the ports of all doors.
    package init(
        destinations: [Int], board: FaultBoard, identities: ([Int]) -> [UInt64]
    ) async throws {
        self.board = board
        let book = IdentityBook()
        var doors: [any Channel] = []
        do {
            for (index, port) in destinations.enumerated() {
                let destination = try SocketAddress(ipAddress: "127.0.0.1", port: port)
                doors.append(
                    try await Self.open(
                        group, to: index, destination: destination, book: book, board: board))
            }
        } catch {
            try? await group.shutdownGracefully()
            throw ChaosError("the fault proxy cannot open a port: \(error)")
        }
        self.doors = doors
        ports = doors.map { $0.localAddress?.port ?? 0 }
        let ids = identities(ports)
        book.fill(Dictionary(uniqueKeysWithValues: zip(ids, ids.indices)))
    }

    /// Closes the doors and everything that passes through them.
    package func close() async {
        for door in doors { try? await door.close().get() }
        board.close()
        try? await group.shutdownGracefully()
    }

    private static func open(
        _ group: MultiThreadedEventLoopGroup, to index: Int, destination: SocketAddress,
        book: IdentityBook, board: FaultBoard
    ) async throws -> any Channel {
        try await ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                let tunnel = Tunnel(
                    near: channel, to: index, destination: destination, members: book.members,
                    board: board)
                guard board.enter(tunnel) else { return channel.close() }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(TunnelHandler(tunnel, .near))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
    }
}
