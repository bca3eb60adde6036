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

    @Test(
        .enabled(if: !Programs.isServerEtcd),
        arguments: [
            (["cluster", "--replicas", "0"], "--replicas is 1 to 9"),
            (["cluster", "--base-port", "65530"], "--base-port is 1 to 65513"),
            (["cluster", "--directory", ""], "--directory names none"),
            (["chaos", "--directory", ""], "--directory names none"),
            (["chaos", "--scenario", "earthquake"], "kill-leader"),
            (["explore", "--limit", "0"], "limit"),
            (["explore", "--replicas", "9"], "two to five replicas"),
            (
                [
                    "explore", "--quiet", "--proposers", "everyone", "--commands",
                    "1,1,1,2,2,2,3,3,3", "--slots", "8", "--window", "7", "--campaigns", "2,2",
                ], "more than 64 different votes"
            ),
            (["sim", "--operations", "1000001"], "--operations is between"),
            (["sim", "--seeds", "5..1"], "--seeds is a range"),
            (["sim", "--seeds", "+1..2"], "--seeds is a range"),
            (["sim", "--seed", "1", "--without", ","], "the simulator has no fault ''"),
            (["chaos", "--scenario", "stop,"], "'' is not all or one of"),
        ])
    func anImpossibleArgumentIsAMistakeOfUse(command: [String], sentence: String) async throws {
        let result = try await run([Programs.server[0]] + command)
        #expect(result.status == 64)
        #expect(result.output.contains(sentence))
    }

    @Test(
        .enabled(if: !Programs.isServerEtcd),
        arguments: [
            "sim --seeds 1..2", "sim --seed 1", "explore --crash-points",
            "explore --terse --campaigns 0,0", "version", "cluster --help",
        ])
    func aReportThatCannotBeWrittenIsAnError(command: String) async throws {
        let result = try await run(["/bin/sh", "-c", "\(Programs.server[0]) \(command) >/dev/full"])
        #expect(result.status == 1)
        #expect(result.output.contains("not all of the output could be written"))
    }

    @Test(.enabled(if: !Programs.isServerEtcd, "an etcd refuses to be told twice"))
    func flagsMayHaveOneDashAndVariablesStandForFlags() async throws {
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

    @Test(.enabled(if: !Programs.isServerEtcd)) func theClientCommandsWork() async throws {
        try await Cluster.run(size: 1) { cluster in
            func synod(_ arguments: String..., input: String = "") async throws -> Command.Result {
                try await run(
                    [Programs.server[0], arguments[0], "--endpoints", cluster.endpoints]
                        + arguments.dropFirst(), input: input)
            }
            #expect(try await synod("put", "a", "1").output == "revision  2\n")
            #expect(try await synod("put", "b", input: "two\nlines").status == 0)
            #expect(try await synod("get", "a", "c", "--keys-only").lines == ["a", "b"])
            #expect(try await synod("get", "", "--prefix", "--count-only").lines == ["count  2"])
            let json = try await synod("get", "a", "--output", "json").output
            #expect(json.contains(#""value":"MQ==""#) && json.contains(#""count":"1""#))
            let txn = try await synod("txn", input: "value(a) = \"1\"\n\nput a 2\ndel b\n")
            #expect(txn.lines == ["the comparisons hold", "put", "deleted 1", "revision 4"])
            #expect(try await synod("del", "--prefix", "a").lines == ["deleted  1"])
            let status = try await synod("status").lines
            #expect(status.count == 4)
            #expect(status.last?.contains("leads") == true)
            let statusJSON = try await synod("status", "--output", "json").output
            #expect(statusJSON.contains(#""activeProposers":"1""#))
            let refused = try await synod("get", "a", "--rev", "99")
            #expect(refused.status == 1)
            #expect(refused.output.contains("required revision is a future revision"))
            #expect(try await synod("put", "").status != 0)
        }
    }

    /// Runs a command to its end.
    private func run(
        _ command: [String], input: String = ""
    ) async throws -> Command.Result {
        try await Command.run(command, input: input, within: .seconds(10))
    }
}
