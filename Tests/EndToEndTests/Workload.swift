import EtcdWire
import Foundation
import SynodClient
import Testing

/// Writers that put ever new keys and remember what was acknowledged.
///
/// No key is written twice, so a put of unknown outcome needs no bookkeeping: what must hold is
/// that every acknowledged pair stays.
actor Workload {
    private(set) var acknowledged: [String: String] = [:]
    private(set) var failures = 0
    private var isStopping = false
    private var writers: [Task<Void, Never>] = []

    /// Starts `writers` for each replica, which write through that replica alone.
    static func start(writers: Int, to replicas: [Replica]) async -> Workload {
        let workload = Workload()
        await workload.start(writers, to: replicas)
        return workload
    }

    private func start(_ count: Int, to replicas: [Replica]) {
        writers = replicas.flatMap { replica in
            (0..<count).map { writer in
                Task { [weak self] in await self?.write("\(replica.name)/\(writer)", to: replica) }
            }
        }
    }

    /// Waits until this many more puts have been acknowledged.
    func waitForProgress(_ puts: Int, within limit: Duration = .seconds(30)) async throws {
        let start = acknowledged.count
        try await eventually("\(puts) more puts are acknowledged", within: limit) {
            acknowledged.count >= start + puts ? true : nil
        }
    }

    func stop() async {
        isStopping = true
        for writer in writers { await writer.value }
    }

    /// Every acknowledged pair must be there, read at `replica`.
    func expectNothingLost(
        at replica: Replica, _ location: SourceLocation = #_sourceLocation
    ) async throws {
        let request = EtcdRangeRequest.keys(from: "load/", to: "load0")
        let response = try await withClient(replica, timeout: .seconds(30)) {
            try await $0.range(request)
        }
        let pairs = response.kvs.map { kv in
            (String(decoding: kv.key, as: UTF8.self), String(decoding: kv.value, as: UTF8.self))
        }
        let stored = Dictionary(uniqueKeysWithValues: pairs)
        let lost = acknowledged.filter { stored[$0.key] != $0.value }
        #expect(
            lost.isEmpty, "\(replica.name) lost \(lost.count) of \(acknowledged.count)",
            sourceLocation: location)
    }

    private func write(_ writer: String, to replica: Replica) async {
        var number = 0
        while !isStopping {
            do {
                try await withClient(replica, timeout: .seconds(3)) { client in
                    while !isStopping {
                        number += 1
                        let (key, value) = ("load/\(writer)/\(number)", "\(writer)#\(number)")
                        _ = try await client.put(.pair(key, value))
                        acknowledged[key] = value
                    }
                }
            } catch {
                failures += 1
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
    }
}
