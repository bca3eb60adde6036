import ArgumentParser
import SynodServer

/// etcd's flags, as texts: ``ServerConfiguration`` gives them their meaning and their defaults.
struct ServeFlags: ParsableArguments {
    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The name of this replica (default).", valueName: "text"))
    var name: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Where to keep the data (NAME.synod).", valueName: "directory"))
    var dataDir: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Where clients connect (http://127.0.0.1:2379).", valueName: "urls"))
    var listenClientUrls: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "What clients are told (the URLs listened on).", valueName: "urls"))
    var advertiseClientUrls: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Where replicas connect (http://127.0.0.1:2380).", valueName: "urls"))
    var listenPeerUrls: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "What replicas are told (the URLs listened on).", valueName: "urls"))
    var initialAdvertisePeerUrls: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Where metrics and health are served over HTTP (nowhere).", valueName: "urls"))
    var listenMetricsUrls: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "All replicas, this one too: name=url,name=url,... (this one alone).",
            valueName: "members"))
    var initialCluster: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Tells clusters apart that were made alike (synod-cluster).", valueName: "text"))
    var initialClusterToken: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Whether the cluster starts for the first time (new).",
            valueName: "new|existing"))
    var initialClusterState: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Between two heartbeats (100).", valueName: "ms"))
    var heartbeatInterval: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Until a silent leader is suspected; five heartbeats to 50000 (1000).",
            valueName: "ms"))
    var electionTimeout: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Entries between two snapshots (10000).", valueName: "count"))
    var snapshotCount: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Stored bytes from which writes are refused; negative: never (2 GiB).",
            valueName: "bytes"))
    var quotaBackendBytes: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The largest request (1572864).", valueName: "bytes"))
    var maxRequestBytes: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Operations in one transaction (128).", valueName: "count"))
    var maxTxnOps: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Who proposes: automatic (each member, where that is cheaper), leader or everyone "
                + "(automatic).",
            valueName: "who"))
    var proposers: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("debug, info, warn, error or fatal (info).", valueName: "level"))
    var logLevel: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("text or json (text).", valueName: "format"))
    var logFormat: String?

    /// The flags that were given.
    var given: [ServerConfiguration.Flag: String] {
        let all: [ServerConfiguration.Flag: String?] = [
            .name: name, .dataDir: dataDir, .listenClientURLs: listenClientUrls,
            .advertiseClientURLs: advertiseClientUrls, .listenPeerURLs: listenPeerUrls,
            .initialAdvertisePeerURLs: initialAdvertisePeerUrls,
            .listenMetricsURLs: listenMetricsUrls, .initialCluster: initialCluster,
            .initialClusterToken: initialClusterToken, .initialClusterState: initialClusterState,
            .heartbeatInterval: heartbeatInterval, .electionTimeout: electionTimeout,
            .snapshotCount: snapshotCount, .quotaBackendBytes: quotaBackendBytes,
            .maxRequestBytes: maxRequestBytes, .maxTxnOps: maxTxnOps, .proposers: proposers,
            .logLevel: logLevel,
            .logFormat: logFormat,
        ]
        return all.compactMapValues { $0 }
    }
}
