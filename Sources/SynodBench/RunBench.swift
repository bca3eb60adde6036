import NIOCore
import NIOPosix
import SynodClient

/// Puts load on the endpoints as configured and reports what came of it. A cancelled run ends
/// early and reports what it has.
///
/// Throws ``BenchError`` for an impossible configuration, when nobody answers and when no key could
/// be written beforehand; `ClientError` for a malformed endpoint. Operations that fail while it
/// runs are part of the report.
package func runBench(_ configuration: BenchConfiguration) async throws -> BenchReport {
    try configuration.check()
    let fleet = try await Fleet(configuration)
    do {
        try await fleet.connect()
        if configuration.mode.needsKeys, configuration.fillsKeys {
            let filling = try Workload.fill(valueBytes: configuration.valueBytes)
            let budget = Budget(.operations(configuration.keys), rate: nil)
            let tally = try await fleet.run(filling, budget: budget, label: "writing keys")
            if tally.succeeded == 0, let message = tally.errors.keys.min() {
                throw BenchError("the keys could not be written: \(message)")
            }
        }
        let workload = try Workload(configuration)
        let before = ProcessUsage(of: configuration.processes)
        let start = ContinuousClock.now
        let budget = Budget(configuration.extent, rate: configuration.rate)
        let tally = try await fleet.run(
            workload, budget: budget, label: configuration.mode.rawValue)
        let elapsed = ContinuousClock.now - start
        let after = ProcessUsage(of: configuration.processes)
        await fleet.close()
        return BenchReport(
            configuration, tally: tally, elapsed: elapsed, before: before, after: after)
    } catch {
        await fleet.close()
        throw error
    }
}

/// The connections of a run, spread over the event loops.
private struct Fleet {
    private struct Squad {
        let eventLoop: any EventLoop
        let links: NIOLoopBoundBox<[EndpointLink]>
        let clients: Int
    }

    private let configuration: BenchConfiguration
    private let squads: [Squad]

    init(_ configuration: BenchConfiguration) async throws {
        self.configuration = configuration
        let (clients, endpoints) = (configuration.clients, configuration.endpoints)
        let connections = min(configuration.connections, clients)
        let eventLoops = Array(
            MultiThreadedEventLoopGroup.singleton.makeIterator().prefix(connections))
        let count = eventLoops.count
        var squads: [Squad] = []
        for (index, eventLoop) in eventLoops.enumerated() {
            let own = stride(from: index, to: connections, by: count)
            let links = try own.map { connection in
                try EndpointLink(
                    endpoint: endpoints[connection % endpoints.count], eventLoop: eventLoop,
                    configuration: ClientConfiguration())
            }
            squads.append(
                Squad(
                    eventLoop: eventLoop,
                    links: .makeBoxSendingValue(links, eventLoop: eventLoop),
                    clients: (clients - index + count - 1) / count))
        }
        self.squads = squads
    }

    /// Has every client read something, so that connections stand when the clock starts. Throws
    /// ``BenchError`` when nobody answers.
    func connect() async throws {
        let budget = Budget(.operations(configuration.clients), rate: nil)
        let tally = try await run(try Workload.probe(), budget: budget, label: "connecting")
        if tally.succeeded == 0, let message = tally.errors.keys.min() {
            throw BenchError("no endpoint answers: \(message)")
        }
    }

    /// Does a workload with all clients and returns what came of it on all event loops.
    func run(_ workload: Workload, budget: Budget, label: String) async throws -> Tally {
        let progress = Progress()
        let watcher =
            configuration.showsProgress
            ? Task {
                var line = ProgressLine(label, progress)
                await line.run()
            } : nil
        let tallies = squads.map { squad in
            squad.eventLoop.flatSubmit {
                Worker(
                    eventLoop: squad.eventLoop, links: squad.links.value, clients: squad.clients,
                    workload: workload, budget: budget, configuration: configuration,
                    progress: progress
                ).run()
            }
        }
        let total = try await withTaskCancellationHandler {
            var total = Tally()
            for tally in tallies { total.add(try await tally.get()) }
            return total
        } onCancel: {
            budget.stop()
        }
        watcher?.cancel()
        await watcher?.value
        return total
    }

    func close() async {
        for squad in squads {
            try? await squad.eventLoop.submit {
                for link in squad.links.value { link.close() }
            }.get()
        }
    }
}
