import EtcdWire
import Foundation
import SynodBytes
import SynodCheck
import SynodClient
import SynodLauncher
import SynodServer

/// Members as processes, the proxy between them, and a directory that holds what they leave.
package final class ChaosCluster: Sendable {
    private static let token = "synod-chaos"

    package let members: [ChaosMember]
    package let board: FaultBoard
    let directory: String
    private let proxy: FaultProxy
    private let client: SynodClient

    /// Makes the directory and opens the proxy; starts no member. Throws ``ChaosError``.
    init(size: Int, directory: String, executable: String, seed: UInt64, flags: [String])
        async throws
    {
        self.directory = directory
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        let names = (1...size).map { "n\($0)" }
        let peerPorts = try names.map { _ in try FreePorts.take() }
        board = FaultBoard(seed: seed)
        // Members are named by what they advertise, so everybody calls them by the proxy's ports.
        proxy = try await FaultProxy(destinations: peerPorts, board: board) { doors in
            zip(names, doors).map { name, door in
                let url = ServerConfiguration.URL(host: "127.0.0.1", port: door)
                return ServerConfiguration.Member(name: name, peerURLs: [url], token: Self.token).id
            }
        }
        let doors = proxy.ports.map { "http://127.0.0.1:\($0)" }
        let cluster = zip(names, doors).map { "\($0)=\($1)" }.joined(separator: ",")
        members = try names.indices.map { index in
            let clientPort = try FreePorts.take()
            let client = "http://127.0.0.1:\(clientPort)"
            let (name, data) = (names[index], "\(directory)/\(names[index])")
            let plan = ReplicaPlan(
                name: name, clientPort: clientPort, peerPort: peerPorts[index],
                dataDirectory: data, logFile: data + ".log",
                arguments: [
                    "serve", "--exit-on-stdin-close", "--name", name, "--data-dir", data,
                    "--listen-client-urls", client, "--advertise-client-urls", client,
                    "--listen-peer-urls", "http://127.0.0.1:\(peerPorts[index])",
                    "--initial-advertise-peer-urls", doors[index],
                    "--initial-cluster", cluster, "--initial-cluster-token", Self.token,
                    "--initial-cluster-state", "new",
                ] + flags)
            return ChaosMember(index: index, plan: plan, executable: executable)
        }
        var configuration = ClientConfiguration()
        configuration.callTimeout = .seconds(2)
        client = try SynodClient(endpoints: members.map(\.endpoint), configuration: configuration)
    }

    var size: Int { members.count }
    /// The largest number of members that may be away while the others go on.
    var tolerated: Int { (size - 1) / 2 }

    func start() async throws {
        for member in members { try member.start() }
        try await waitUntilAllServe(within: .seconds(30))
    }

    /// Heals every link and every member: those that are stopped go on, those that are dead start.
    func heal() throws {
        board.heal()
        for member in members {
            if member.isPaused { member.resume() }
            try member.start()
        }
    }

    /// Waits until each member answers a linearizable read, which takes a connected majority.
    func waitUntilAllServe(within limit: Duration) async throws {
        for member in members { try await waitUntilServing(member, within: limit) }
    }

    func waitUntilServing(_ member: ChaosMember, within limit: Duration) async throws {
        var configuration = ClientConfiguration()
        // Short, so that a member that ends meanwhile is not waited for.
        configuration.callTimeout = min(limit, .seconds(2))
        let own = try SynodClient(endpoints: [member.endpoint], configuration: configuration)
        let deadline = ContinuousClock.now + limit
        let ready = KeyRange(key: Bytes("ready".utf8))
        var answer: (any Error)?
        repeat {
            answer = nil
            do {
                _ = try await own.range(EtcdRangeRequest(ready, isSerializable: false))
            } catch {
                answer = error
            }
        } while answer != nil && member.isRunning && ContinuousClock.now < deadline
            && !Task.isCancelled
        await own.close()
        guard let answer else { return }
        throw ChaosError("\(member.name) does not serve within \(limit): \(answer)")
    }

    /// The member that leads, as one of the running ones says; nil when none does.
    func leader() async -> ChaosMember? {
        var newest: (round: UInt64, leader: UInt64)?
        var ids: [UInt64: ChaosMember] = [:]
        for member in members where member.isRunning && !member.isPaused {
            guard let status = try? await client.status(endpoint: member.endpoint) else { continue }
            ids[status.header.memberID] = member
            if status.leader != 0, status.raftTerm >= newest?.round ?? 0 {
                newest = (status.raftTerm, status.leader)
            }
        }
        return newest.flatMap { ids[$0.leader] }
    }

    /// Ends all members and the proxy, whatever state they are in.
    func end() async {
        for member in members { await member.kill() }
        await client.close()
        await proxy.close()
    }
}
