import Synchronization
import SynodBytes
import SynodClient

/// Clients of every member, until they are told to stop.
final class Load: Sendable {
    private static let clientsPerMember = 4
    private static let operationsPerSecond = 1000
    private static let callTimeout = Duration.seconds(3)

    private struct State {
        var begun = 0
        var isStopping = false
    }

    let recorder = Recorder()
    private let state = Mutex(State())
    private let clients = Mutex<[Task<Void, Never>]>([])

    /// Starts the clients, whose values are a little larger than so many bytes. Each begins with another member and turns to the next when one fails.
    func start(_ cluster: ChaosCluster, valueBytes: Int, seed: UInt64) throws {
        var chance = PRNG(seed: seed)
        var configuration = ClientConfiguration()
        configuration.callTimeout = Self.callTimeout
        let endpoints = cluster.members.map(\.endpoint)
        let count = Self.clientsPerMember * endpoints.count
        let pace = Duration.seconds(1) * count / Self.operationsPerSecond
        for number in 0..<count {
            let shift = number % endpoints.count
            let client = try SynodClient(
                endpoints: Array(endpoints[shift...] + endpoints[..<shift]),
                configuration: configuration)
            let worker = LoadClient(
                client, recorder: recorder, load: self, pace: pace,
                mix: RequestMix(
                    writer: number, valueBytes: valueBytes, chance: chance.fork()))
            let task = Task {
                var worker = worker
                await worker.run()
            }
            clients.withLock { $0.append(task) }
        }
    }

    /// How many operations were begun before this one; nil when it is time to stop.
    func begin() -> Int? {
        state.withLock { state in
            guard !state.isStopping else { return nil }
            defer { state.begun += 1 }
            return state.begun
        }
    }

    /// Stops after the operations under way.
    func stop() async {
        state.withLock { $0.isStopping = true }
        for client in clients.withLock({ $0 }) { await client.value }
    }
}
