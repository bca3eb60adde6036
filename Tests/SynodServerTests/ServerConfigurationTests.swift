import Logging
import SynodServer
import Testing

@Suite struct ServerConfigurationTests {
    typealias Flag = ServerConfiguration.Flag
    typealias URL = ServerConfiguration.URL

    static let three = "n1=http://10.0.0.1:2380,n2=http://10.0.0.2:2380,n3=http://10.0.0.3:2380"

    @Test func noFlagsAtAllAreAUsableReplica() throws {
        let configuration = try ServerConfiguration(flags: [:])
        #expect(configuration.name == "default")
        #expect(configuration.dataDirectory == "default.synod")
        #expect(configuration.listenClientURLs == [URL(host: "127.0.0.1", port: 2379)])
        #expect(configuration.advertiseClientURLs == configuration.listenClientURLs)
        #expect(configuration.listenPeerURLs == [URL(host: "127.0.0.1", port: 2380)])
        #expect(configuration.listenMetricsURLs.isEmpty)
        #expect(configuration.initialCluster.map(\.name) == ["default"])
        #expect(configuration.initialClusterState == .new)
        #expect(configuration.heartbeatMilliseconds == 100)
        #expect(configuration.electionMilliseconds == 1000)
        #expect(configuration.snapshotCount == 10_000)
        #expect(configuration.quotaBytes == 2 << 30)
        #expect(configuration.maxRequestBytes == 3 << 19)
        #expect(configuration.maxTxnOps == 128)
        #expect(configuration.logLevel == .info)
        #expect(configuration.logFormat == .text)
    }

    @Test func metricsMayBeServedOnEveryAddress() throws {
        let configuration = try ServerConfiguration(flags: [
            .listenMetricsURLs: "http://0.0.0.0:2381,http://[::]:2381"
        ])
        #expect(configuration.listenMetricsURLs.map(\.host) == ["0.0.0.0", "::"])
    }

    @Test func everyReplicaDerivesTheSameIdentities() throws {
        let replicas = try (1...3).map { index in
            try ServerConfiguration(flags: [
                .name: "n\(index)", .initialCluster: Self.three,
                .listenPeerURLs: "http://0.0.0.0:2380",
                .initialAdvertisePeerURLs: "http://10.0.0.\(index):2380",
            ])
        }
        #expect(Set(replicas.map(\.clusterID)).count == 1)
        #expect(Set(replicas.map(\.member.id)).count == 3)
        #expect(replicas[0].initialCluster == replicas[2].initialCluster)
        #expect(
            replicas[0].initialCluster.map(\.id) == replicas[0].initialCluster.map(\.id).sorted())
    }

    @Test func theTokenIsPartOfEveryIdentity() throws {
        let one = try ServerConfiguration(flags: [.initialClusterToken: "one"])
        let other = try ServerConfiguration(flags: [.initialClusterToken: "other"])
        #expect(one.clusterID != other.clusterID)
        #expect(one.member.id != other.member.id)
    }

    @Test func identitiesNeverChangeBetweenReleases() throws {
        let configuration = try ServerConfiguration(flags: [:])
        #expect(configuration.member.id == 0x8eaf_52bb_1953_d69b)
        #expect(configuration.clusterID == 0x8152_7f1d_2d3d_57b1)
    }

    @Test func aMemberMayHaveSeveralURLsInAnyOrder() throws {
        let configuration = try ServerConfiguration(flags: [
            .name: "a", .initialCluster: "a=http://h2:1,b=http://h3:1,a=http://h1:1",
            .initialAdvertisePeerURLs: "http://h1:1,http://h2:1",
        ])
        #expect(configuration.member.peerURLs.map(\.host) == ["h1", "h2"])
    }

    @Test(arguments: [
        ("0", Int64(2 << 30)), ("-1", nil), ("-100", nil), ("8000000000", 8_000_000_000),
        ("9223372036854775807", .max),
    ])
    func theQuotaIsReadAsEtcdReadsIt(text: String, quota: Int64?) throws {
        let configuration = try ServerConfiguration(flags: [.quotaBackendBytes: text])
        #expect(configuration.quotaBytes == quota)
    }

    @Test(arguments: [("warn", Logger.Level.warning), ("fatal", .critical), ("debug", .debug)])
    func logLevelsHaveEtcdsNames(text: String, level: Logger.Level) throws {
        #expect(try ServerConfiguration(flags: [.logLevel: text]).logLevel == level)
    }

    @Test(
        arguments: [
            ([.name: ""], "--name: the value is empty."),
            ([.name: "a=b"], "--name: a name has at most 256 bytes"),
            ([.dataDir: ""], "--data-dir: the value is empty."),
            ([.listenClientURLs: "localhost:2379"], "is not of the form http://host:port."),
            ([.listenClientURLs: "https://h:1"], "TLS is not supported yet."),
            ([.listenClientURLs: "unix://h:1"], "the scheme 'unix' instead of http."),
            ([.listenClientURLs: "http://h:1/"], "has a path"),
            ([.listenClientURLs: "http://h"], "is not of the form http://host:port."),
            ([.listenClientURLs: "http://:1"], "is not of the form http://host:port."),
            ([.listenClientURLs: "http://a b\n:1"], "is not of the form http://host:port."),
            ([.listenClientURLs: "http://[::g]:1"], "is not of the form http://host:port."),
            ([.listenClientURLs: "http://h:0"], "has no port between 1 and 65535."),
            ([.listenClientURLs: "http://h:65536"], "has no port between 1 and 65535."),
            ([.listenClientURLs: "http://h:+1"], "has no port between 1 and 65535."),
            ([.listenClientURLs: "http://h:99999999999999999999"], "has no port between"),
            ([.listenClientURLs: "http://h:1,,http://h:2"], "'' is not of the form"),
            ([.listenClientURLs: "http://h:1,http://H:1"], "http://h:1 is named twice."),
            ([.listenClientURLs: "http://127.0.0.1:2380"], "and a port serves one of them."),
            ([.listenMetricsURLs: "https://h:1"], "--listen-metrics-urls: 'https://h:1' asks for"),
            ([.listenMetricsURLs: "http://h:1,http://h:1"], "http://h:1 is named twice."),
            (
                [.listenMetricsURLs: "http://127.0.0.1:2380"],
                "--listen-peer-urls and --listen-metrics-urls both name http://127.0.0.1:2380"
            ),
            ([.listenClientURLs: "http://0.0.0.0:1"], "nobody can reach http://0.0.0.0:1"),
            ([.listenPeerURLs: "http://[::]:1"], "nobody can reach http://[::]:1"),
            ([.initialCluster: ""], "--initial-cluster: no member is given."),
            ([.initialCluster: ",,"], "--initial-cluster: no member is given."),
            ([.initialCluster: "http://h:1"], "is not of the form name=http://host:port."),
            ([.initialCluster: "default"], "'default' is not of the form name="),
            ([.initialCluster: "n1=http://h:1"], "'default' of this replica is not among"),
            ([.initialCluster: "default=http://h:1"], "has other URLs than --initial-advertise"),
            ([.initialCluster: "default=http://h:1,b=http://h:1"], "http://h:1 is named twice."),
            (
                [.initialCluster: (0...9).map { "m\($0)=http://h:1\($0)" }.joined(separator: ",")],
                "10 members are given, and nine is the most."
            ),
            ([.initialClusterToken: ""], "--initial-cluster-token: the value is empty."),
            ([.initialClusterState: "old"], "'old' is not new or existing."),
            ([.heartbeatInterval: "0"], "0 is not between 1 and 10000."),
            ([.heartbeatInterval: "100ms"], "'100ms' is not a whole number"),
            ([.heartbeatInterval: "300"], "five times the --heartbeat-interval of 300 ms"),
            ([.electionTimeout: "50001"], "50001 is not between 1 and 50000."),
            ([.snapshotCount: "0"], "--snapshot-count: 0 is not between"),
            ([.maxRequestBytes: "-5"], "--max-request-bytes: -5 is not between"),
            ([.maxRequestBytes: "99999999999999999999"], "is not a whole number of at most 64"),
            ([.maxTxnOps: "0"], "--max-txn-ops: 0 is not between"),
            ([.quotaBackendBytes: "9223372036854775808"], "is not a whole number of at most 64"),
            ([.logLevel: "loud"], "'loud' is not debug, info, warn, error or fatal."),
            ([.logFormat: "xml"], "'xml' is not text or json."),
        ] as [([Flag: String], String)])
    func anImpossibleFlagIsOneSentence(flags: [Flag: String], sentence: String) {
        let error = #expect(throws: ConfigurationError.self) {
            try ServerConfiguration(flags: flags)
        }
        let text = error?.description ?? ""
        #expect(text.contains(sentence))
        #expect(text.hasPrefix("--") && text.hasSuffix(".") && !text.contains("\n\n"))
    }

    @Test(arguments: ["http://127.0.0.1:2379", "http://[::1]:2379", "http://a-b.c_d:1"])
    func urlsKeepTheirText(text: String) throws {
        #expect(try URL(parsing: text).description == text)
    }
}

@Suite struct ServerEnvironmentTests {
    @Test func aVariableStandsForItsFlag() throws {
        let (flags, warnings) = try ServerConfiguration.flags(inEnvironment: [
            "ETCD_LISTEN_CLIENT_URLS": "http://h:1", "ETCD_NAME": "n1", "ETCD_DATA_DIR": "",
            "ETCDCTL_API": "3", "HOME": "/",
        ])
        #expect(flags == [.listenClientURLs: "http://h:1", .name: "n1"])
        #expect(warnings.isEmpty)
    }

    @Test func aVariableWithoutEffectIsAWarning() throws {
        let (flags, warnings) = try ServerConfiguration.flags(inEnvironment: [
            "ETCD_LOGGER": "zap", "ETCD_COLOUR": "red", "ETCD_CLIENT_CERT_AUTH": "false",
        ])
        #expect(flags.isEmpty)
        #expect(warnings.count == 2)
    }

    @Test func aVariableForTLSIsRefused() {
        #expect(
            throws: ConfigurationError("ETCD_CERT_FILE: --cert-file: TLS is not supported yet.")
        ) {
            try ServerConfiguration.flags(inEnvironment: ["ETCD_CERT_FILE": "server.crt"])
        }
    }

    @Test func everyFlagHasAMeaning() {
        #expect(ServerConfiguration.meaning(ofFlag: "name") == .obeyed(.name))
        #expect(
            ServerConfiguration.meaning(ofFlag: "experimental-initial-corrupt-check")
                == .ignored(
                    "--experimental-initial-corrupt-check is ignored: there is no such experiment "
                        + "here."))
        #expect(
            ServerConfiguration.meaning(ofFlag: "peer-cert-file")
                == .refused("--peer-cert-file: TLS is not supported yet."))
        #expect(ServerConfiguration.meaning(ofFlag: "colour") == .unknown)
    }
}
