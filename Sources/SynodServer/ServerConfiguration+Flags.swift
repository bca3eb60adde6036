extension ServerConfiguration {
    /// A flag that changes what the server does, by etcd's name for it.
    package enum Flag: String, CaseIterable, Sendable {
        case name
        case dataDir = "data-dir"
        case listenClientURLs = "listen-client-urls"
        case advertiseClientURLs = "advertise-client-urls"
        case listenPeerURLs = "listen-peer-urls"
        case initialAdvertisePeerURLs = "initial-advertise-peer-urls"
        case listenMetricsURLs = "listen-metrics-urls"
        case initialCluster = "initial-cluster"
        case initialClusterToken = "initial-cluster-token"
        case initialClusterState = "initial-cluster-state"
        case heartbeatInterval = "heartbeat-interval"
        case electionTimeout = "election-timeout"
        case snapshotCount = "snapshot-count"
        case quotaBackendBytes = "quota-backend-bytes"
        case maxRequestBytes = "max-request-bytes"
        case maxTxnOps = "max-txn-ops"
        case logLevel = "log-level"
        case logFormat = "log-format"
        /// Not etcd's.
        case proposers
    }

    /// What `synod serve` does about a flag of etcd's.
    package enum FlagMeaning: Equatable, Sendable {
        /// It is obeyed.
        case obeyed(Flag)
        /// It makes no difference here, and the sentence says why.
        case ignored(String)
        /// Going on without it would not be what was asked for; the sentence says why.
        case refused(String)
        /// etcd has no such flag.
        case unknown
    }

    /// The meaning of the flag `name`, given without its dashes.
    package static func meaning(ofFlag name: String) -> FlagMeaning {
        if let flag = Flag(rawValue: name) { return .obeyed(flag) }
        if let reason = refusedFlags[name] { return .refused("--\(name): \(reason)") }
        if let reason = ignoredFlags[name] { return .ignored("--\(name) is ignored: \(reason)") }
        if name.hasPrefix("experimental-") {
            return .ignored("--\(name) is ignored: there is no such experiment here.")
        }
        return .unknown
    }

    /// The flags given as `ETCD_NAME`, `ETCD_DATA_DIR` and so on, and a warning for each variable
    /// that makes no difference. A variable that is set to nothing counts as not set.
    package static func flags(
        inEnvironment environment: [String: String]
    ) throws(ConfigurationError) -> (flags: [Flag: String], warnings: [String]) {
        var flags: [Flag: String] = [:]
        var warnings: [String] = []
        for (variable, value) in environment.sorted(by: { $0.key < $1.key }) {
            guard variable.hasPrefix("ETCD_"), !value.isEmpty else { continue }
            let flag = variable.dropFirst("ETCD_".count).lowercased()
                .map { $0 == "_" ? "-" : String($0) }.joined()
            switch meaning(ofFlag: flag) {
            case .obeyed(let known): flags[known] = value
            case .ignored(let reason): warnings.append("\(variable): \(reason)")
            case .refused where isOff(value): continue
            case .refused(let reason): throw ConfigurationError("\(variable): \(reason)")
            case .unknown: warnings.append("The variable \(variable) belongs to no flag.")
            }
        }
        return (flags, warnings)
    }

    /// Whether a refused flag's value asks for nothing, as in `--client-cert-auth=false`.
    package static func isOff(_ value: String) -> Bool {
        value.isEmpty || value == "false" || value == "0"
    }

    private static let refusedFlags: [String: String] = {
        var reasons = [
            "auto-compaction-mode": "automatic compaction is not supported yet.",
            "auto-compaction-retention": "automatic compaction is not supported yet.",
            "config-file": "configuration files are not supported yet; give the flags instead.",
            "discovery": "discovery is not supported; give --initial-cluster instead.",
            "discovery-srv": "discovery is not supported; give --initial-cluster instead.",
            "force-new-cluster": "recovery from one survivor is not supported yet.",
            "listen-client-http-urls": "only metrics have an HTTP port: --listen-metrics-urls.",
            "wal-dir": "the log has its place in --data-dir and cannot be moved.",
        ]
        let tls = [
            "auto-tls", "cert-file", "cipher-suites", "client-cert-allowed-hostname",
            "client-cert-auth", "client-cert-file", "client-crl-file", "client-key-file",
            "key-file", "peer-auto-tls", "peer-cert-allowed-cn", "peer-cert-allowed-hostname",
            "peer-cert-file", "peer-client-cert-auth", "peer-client-cert-file",
            "peer-client-key-file", "peer-crl-file", "peer-key-file", "peer-trusted-ca-file",
            "self-signed-cert-validity", "tls-max-version", "tls-min-version", "trusted-ca-file",
        ]
        for name in tls { reasons[name] = "TLS is not supported yet." }
        return reasons
    }()

    private static let ignoredFlags: [String: String] = {
        var reasons = [
            "auth-token": "authentication is not supported yet.",
            "auth-token-ttl": "authentication is not supported yet.",
            "bcrypt-cost": "authentication is not supported yet.",
            "enable-grpc-gateway": "only gRPC is served yet.",
            "enable-pprof": "there is no Go runtime to profile.",
            "enable-v2": "only the v3 interface exists.",
            "initial-election-tick-advance": "the first election is not delayed anyway.",
            "max-concurrent-streams": "the bound is fixed.",
            "pre-vote": "a replica never campaigns without a reachable majority.",
            "strict-reconfig-check": "the membership is fixed.",
            "unsafe-no-fsync": "an acknowledged write is always synced.",
        ]
        let engine = [
            "backend-batch-interval", "backend-batch-limit", "backend-bbolt-freelist-type",
            "feature-gates", "max-snapshots", "max-wals",
        ]
        for name in engine { reasons[name] = "the storage engine is another one." }
        let logging = [
            "debug", "enable-log-rotation", "log-outputs", "log-package-levels",
            "log-rotation-config-json", "logger",
        ]
        for name in logging { reasons[name] = "logs go to the standard error output." }
        let transport = [
            "cors", "grpc-keepalive-interval", "grpc-keepalive-min-time",
            "grpc-keepalive-timeout", "host-whitelist", "metrics", "socket-reuse-address",
            "socket-reuse-port",
        ]
        for name in transport { reasons[name] = "there is nothing to set." }
        return reasons
    }()
}
