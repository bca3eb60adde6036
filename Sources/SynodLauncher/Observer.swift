import EtcdWire
package import SynodClient

/// Asks every replica again and again who leads, and reports when any answer changed.
package struct Observer: Sendable {
    private let client: SynodClient
    private let report: @Sendable (ClusterEvent) -> Void

    package init(
        _ plans: [ReplicaPlan], report: @escaping @Sendable (ClusterEvent) -> Void
    ) throws(ClientError) {
        var configuration = ClientConfiguration()
        configuration.callTimeout = .seconds(1)
        configuration.connectTimeout = .seconds(1)
        client = try SynodClient(
            endpoints: plans.map(\.clientEndpoint), configuration: configuration)
        self.report = report
    }

    /// Repeats until the task is cancelled.
    package func run() async {
        var last: [Sighting?] = []
        repeat {
            let sightings = await askAll()
            if sightings != last { report(.observed(sightings)) }
            last = sightings
        } while (try? await Task.sleep(for: .milliseconds(200))) != nil
        await client.close()
    }

    private func askAll() async -> [Sighting?] {
        await withTaskGroup(of: (Int, Sighting?).self) { group in
            for (index, endpoint) in client.endpoints.enumerated() {
                group.addTask { (index, await ask(endpoint)) }
            }
            var sightings = [Sighting?](repeating: nil, count: client.endpoints.count)
            for await (index, sighting) in group { sightings[index] = sighting }
            return sightings
        }
    }

    private func ask(_ endpoint: String) async -> Sighting? {
        guard let status = try? await client.status(endpoint: endpoint) else { return nil }
        return Sighting(
            member: status.header.memberID, leader: status.leader, round: status.raftTerm)
    }
}
