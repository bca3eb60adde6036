import Foundation
import SynodClient
import Testing

/// What `synod serve` answers to flags that cannot be obeyed, and to the way launchers give them.
@Suite struct CommandLineTests {
    @Test(
        .enabled(if: !Programs.isServerEtcd),
        arguments: [
            (["--listen-client-urls", "https://127.0.0.1:2379"], "TLS is not supported yet"),
            (["--listen-client-urls", "nonsense"], "not of the form http://host:port"),
            (["--heartbeat-interval=1000", "--election-timeout=1000"], "--election-timeout"),
            (["-initial-cluster", "other=http://127.0.0.1:2380"], "not among the members"),
            (["--cert-file", "server.crt"], "TLS is not supported yet"),
            (["--wal-dir=elsewhere"], "--wal-dir"),
            (["--max-request-bytes", "0"], "--max-request-bytes"),
            (["--colour", "red"], "--colour"),
            (["--name"], "--name"),
        ])
    func anImpossibleFlagEndsTheServer(flags: [String], sentence: String) async throws {
        let result = try await run(Programs.server + flags)
        #expect(result.status > 0)
        #expect(result.output.contains(sentence))
        #expect(!result.output.contains("Fatal error"))
    }

    @Test func flagsMayHaveOneDashAndVariablesStandForFlags() async throws {
        try await Cluster.run(size: 1) { cluster in
            let replica = Replica(name: "single", in: cluster.directory)
            let url = "http://" + replica.endpoint
            let process = try ChildProcess(
                Programs.server + [
                    "-name", "single", "-data-dir=" + replica.dataDirectory, "-listen-client-urls",
                    url, "-advertise-client-urls", url, "-logger=zap", "-log-outputs", "stderr",
                    "-enable-v2=false", "-strict-reconfig-check", "-listen-peer-urls",
                    replica.peerURL, "-quota-backend-bytes", "-1", "-pre-vote=true",
                ],
                environment: [
                    "ETCD_INITIAL_ADVERTISE_PEER_URLS": replica.peerURL,
                    "ETCD_INITIAL_CLUSTER": "single=" + replica.peerURL,
                    "ETCD_NAME": "the flag wins",
                ],
                log: replica.log)
            defer { process.kill() }
            try await withClient(replica, timeout: .seconds(2)) { client in
                try await eventually("the server answers") { try await client.range(.key("k")) }
            }
            for line in ["enabled capabilities for version", "published"] {
                try await eventually("the log has the line \(line)") {
                    process.output().contains(line) ? true : nil
                }
            }
        }
    }

    /// Runs a command to its end.
    private func run(_ command: [String]) async throws -> Etcdctl.Result {
        let log = NSTemporaryDirectory() + "synod-flags-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: log) }
        let process = try ChildProcess(command, log: log)
        defer { process.kill() }
        let status = try await process.exitStatus(within: .seconds(10))
        return Etcdctl.Result(status: status, output: process.output())
    }
}
