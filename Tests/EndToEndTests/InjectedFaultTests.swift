import EtcdWire
import Foundation
import SynodClient
import Testing

/// `synod cluster --faults`: replicas that fail on purpose while the cluster serves.
@Suite(.serialized, .enabled(if: !Programs.isServerEtcd))
struct InjectedFaultTests {
    @Test func aClusterThatFailsOnPurposeLosesNothing() async throws {
        let directory = NSTemporaryDirectory() + "synod-faults-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let port = Ports.free(with: [1, 2, 10, 11, 12, 20, 21, 22])
        let endpoints = (0..<3).map { "127.0.0.1:\(port + 10 * $0)" }
        let command = [
            Programs.server[0], "cluster", "--replicas", "3", "--base-port", "\(port)",
            "--directory", directory,
        ]

        let failing = try ChildProcess(
            command + ["--faults", "acceptor=5%,learner=5%"], log: directory + "/failing")
        defer { failing.kill() }
        let acknowledged = try await write(to: endpoints) { acknowledged in
            let output = failing.output()
            guard failing.exitStatus == nil else { throw TestFailure(output) }
            return acknowledged >= 50 && output.count("failed on purpose") >= 5
                && output.count("serves again") >= 3 && output.contains("faults so far: ")
        }
        failing.signal(SIGINT)
        #expect(try await failing.exitStatus(within: .seconds(20)) == 0)
        let logs = try (1...3).map {
            try String(contentsOfFile: "\(directory)/n\($0).log", encoding: .utf8)
        }
        #expect(logs.allSatisfy { $0.contains("THIS REPLICA FAILS ON PURPOSE") })
        #expect(!logs.contains { $0.contains("Fatal error") })

        let mended = try ChildProcess(command, log: directory + "/mended")
        defer { mended.kill() }
        for endpoint in endpoints {
            try await expectAll(acknowledged, at: endpoint)
        }
        mended.signal(SIGINT)
        #expect(try await mended.exitStatus(within: .seconds(20)) == 0)
    }

    @Test func faultsAreAskedForOnTheCommandLineAlone() async throws {
        try await Cluster.run(size: 1) { cluster in
            let replica = Replica(name: "single", in: cluster.directory)
            let process = try ChildProcess(
                Programs.server + replica.flags(in: [replica], extra: []),
                environment: ["ETCD_INJECT_FAULTS": "acceptor=100%,learner=100%"],
                log: replica.log)
            defer { process.kill() }
            try await withClient(replica, timeout: .seconds(2)) { client in
                try await eventually("the server answers") { try await client.range(.key("k")) }
            }
            #expect(process.output().contains("ETCD_INJECT_FAULTS belongs to no flag"))
            #expect(!process.output().contains("ON PURPOSE"))
        }
        for flags in [["--inject-faults", "acceptor=lots"], ["--inject-seed", "3"]] {
            let result = try await Command.run(Programs.server + flags)
            #expect(result.status > 0)
        }
    }

    /// Puts ever new keys until `isEnough`, and returns those that were acknowledged.
    private func write(
        to endpoints: [String], until isEnough: (Int) throws -> Bool
    ) async throws -> [String: String] {
        var configuration = ClientConfiguration()
        configuration.callTimeout = .seconds(3)
        let client = try SynodClient(endpoints: endpoints, configuration: configuration)
        var acknowledged: [String: String] = [:]
        let deadline = ContinuousClock.now + .seconds(90)
        var number = 0
        while try !isEnough(acknowledged.count) {
            guard ContinuousClock.now < deadline else {
                throw TestFailure("Not enough happened; \(acknowledged.count) writes did.")
            }
            number += 1
            let (key, value) = ("load/\(number)", "#\(number)")
            do {
                _ = try await client.put(.pair(key, value))
                acknowledged[key] = value
            } catch {}
            try await Task.sleep(for: .milliseconds(20))
        }
        await client.close()
        return acknowledged
    }

    private func expectAll(_ acknowledged: [String: String], at endpoint: String) async throws {
        let client = try SynodClient(endpoints: [endpoint])
        let response = try await eventually("\(endpoint) answers", within: .seconds(60)) {
            try await client.range(.keys(from: "load/", to: "load0"))
        }
        await client.close()
        let pairs = response.kvs.map { kv in
            (String(decoding: kv.key, as: UTF8.self), String(decoding: kv.value, as: UTF8.self))
        }
        let stored = Dictionary(uniqueKeysWithValues: pairs)
        let lost = acknowledged.filter { stored[$0.key] != $0.value }
        #expect(lost.isEmpty, "\(endpoint) lost \(lost.count) of \(acknowledged.count)")
    }
}

extension String {
    /// How often a text occurs in it.
    fileprivate func count(_ text: String) -> Int { components(separatedBy: text).count - 1 }
}
