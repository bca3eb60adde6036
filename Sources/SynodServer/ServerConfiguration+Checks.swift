import Logging
import SynodPaxos

extension ServerConfiguration {
    /// The configuration that the flags describe, with etcd's defaults for those not given.
    ///
    /// Throws one sentence for the first flag that is impossible, by itself or beside the others.
    package init(flags: [Flag: String]) throws(ConfigurationError) {
        let values = FlagValues(flags: flags)
        name = try values.name()
        dataDirectory = try values.text(.dataDir, default: name + ".synod")

        listenClientURLs =
            try values.urls(.listenClientURLs) ?? [URL(host: "127.0.0.1", port: 2379)]
        listenPeerURLs = try values.urls(.listenPeerURLs) ?? [URL(host: "127.0.0.1", port: 2380)]
        advertiseClientURLs = try values.advertised(
            .advertiseClientURLs, listening: listenClientURLs)
        initialAdvertisePeerURLs = try values.advertised(
            .initialAdvertisePeerURLs, listening: listenPeerURLs)
        listenMetricsURLs = try values.urls(.listenMetricsURLs) ?? []
        try Self.checkApart([
            (.listenClientURLs, listenClientURLs), (.listenPeerURLs, listenPeerURLs),
            (.listenMetricsURLs, listenMetricsURLs),
        ])

        initialClusterToken = try values.text(.initialClusterToken, default: "synod-cluster")
        initialClusterState = try values.choice(.initialClusterState, default: .new)
        initialCluster = try values.cluster(
            name: name, advertising: initialAdvertisePeerURLs, token: initialClusterToken)

        heartbeatMilliseconds = Int(
            try values.number(.heartbeatInterval, default: 100, in: 1...10_000))
        electionMilliseconds = Int(
            try values.number(.electionTimeout, default: 1000, in: 1...50_000))
        guard electionMilliseconds >= 5 * heartbeatMilliseconds else {
            throw ConfigurationError(
                "--election-timeout is \(electionMilliseconds) ms, and five times the "
                    + "--heartbeat-interval of \(heartbeatMilliseconds) ms is the least.")
        }

        snapshotCount = Int(
            try values.number(.snapshotCount, default: 10_000, in: 1...1_000_000_000))
        maxRequestBytes = Int(
            try values.number(
                .maxRequestBytes, default: 1_572_864, in: 1...Self.largestRequestBytes))
        proposers = try values.choice(.proposers, default: .automatic)
        maxTxnOps = Int(try values.number(.maxTxnOps, default: 128, in: 1...65_536))
        let quota = try values.number(.quotaBackendBytes, default: 0, in: .min ... .max)
        quotaBytes = quota < 0 ? nil : quota == 0 ? 2 << 30 : quota

        logLevel = try values.logLevel()
        logFormat = try values.logFormat()
    }

    private static func checkApart(
        _ listening: [(flag: Flag, urls: [URL])]
    ) throws(ConfigurationError) {
        var uses: [URL: Flag] = [:]
        for (flag, urls) in listening {
            for url in urls {
                guard let other = uses.updateValue(flag, forKey: url) else { continue }
                throw ConfigurationError(
                    "--\(other.rawValue) and --\(flag.rawValue) both name \(url), and a port "
                        + "serves one of them.")
            }
        }
    }
}

/// The texts given for flags, read as the types they stand for; every error names its flag.
private struct FlagValues {
    typealias Flag = ServerConfiguration.Flag
    typealias URL = ServerConfiguration.URL
    typealias Member = ServerConfiguration.Member

    let flags: [Flag: String]

    func failure(_ flag: Flag, _ reason: String) -> ConfigurationError {
        ConfigurationError("--\(flag.rawValue): \(reason)")
    }

    func text(_ flag: Flag, default standard: String) throws(ConfigurationError) -> String {
        guard let text = flags[flag] else { return standard }
        guard !text.isEmpty else { throw failure(flag, "the value is empty.") }
        return text
    }

    func name() throws(ConfigurationError) -> String {
        let name = try text(.name, default: "default")
        guard name.utf8.count <= 256, !name.contains(where: { "=,/".contains($0) || $0.isNewline })
        else {
            throw failure(
                .name, "a name has at most 256 bytes and no '=', ',', '/' or line break.")
        }
        return name
    }

    func number(
        _ flag: Flag, default standard: Int64, in range: ClosedRange<Int64>
    ) throws(ConfigurationError) -> Int64 {
        guard let text = flags[flag] else { return standard }
        guard let number = Int64(text) else {
            throw failure(flag, "'\(text)' is not a whole number of at most 64 bits.")
        }
        guard range.contains(number) else {
            throw failure(
                flag, "\(number) is not between \(range.lowerBound) and \(range.upperBound).")
        }
        return number
    }

    func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ flag: Flag, default standard: Choice
    ) throws(ConfigurationError) -> Choice {
        guard let text = flags[flag] else { return standard }
        guard let choice = Choice(rawValue: text) else {
            let choices = Choice.allCases.map(\.rawValue).joined(separator: " or ")
            throw failure(flag, "'\(text)' is not \(choices).")
        }
        return choice
    }

    /// etcd's names and those of the logging library.
    func logLevel() throws(ConfigurationError) -> Logger.Level {
        switch flags[.logLevel] {
        case nil: .info
        case "warn": .warning
        case "dpanic", "panic", "fatal": .critical
        case let text?:
            if let level = Logger.Level(rawValue: text) {
                level
            } else {
                throw failure(.logLevel, "'\(text)' is not debug, info, warn, error or fatal.")
            }
        }
    }

    /// etcd's `console` is the text format.
    func logFormat() throws(ConfigurationError) -> ServerConfiguration.LogFormat {
        flags[.logFormat] == "console" ? .text : try choice(.logFormat, default: .text)
    }

    func urls(_ flag: Flag) throws(ConfigurationError) -> [URL]? {
        guard let text = flags[flag] else { return nil }
        var urls: [URL] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let url = try url(part, of: flag)
            guard !urls.contains(url) else { throw failure(flag, "\(url) is named twice.") }
            urls.append(url)
        }
        return urls
    }

    private func url(_ text: Substring, of flag: Flag) throws(ConfigurationError) -> URL {
        do {
            return try URL(parsing: text.filter { $0 != " " })
        } catch {
            throw failure(flag, error.description)
        }
    }

    /// What is told to others; what is listened on, unless given.
    func advertised(_ flag: Flag, listening: [URL]) throws(ConfigurationError) -> [URL] {
        let urls = try urls(flag) ?? listening
        if let wildcard = urls.first(where: \.isWildcard) {
            throw failure(
                flag, "nobody can reach \(wildcard); give an address of this machine instead.")
        }
        return urls
    }

    /// The members in the order of their ids, this replica checked to be among them.
    func cluster(
        name: String, advertising urls: [URL], token: String
    ) throws(ConfigurationError) -> [Member] {
        guard flags[.initialCluster] != nil else {
            return [Member(name: name, peerURLs: urls, token: token)]
        }
        let named = try namedPeerURLs()
        guard named.count <= 9 else {
            throw failure(
                .initialCluster, "\(named.count) members are given, and nine is the most.")
        }
        guard let own = named.first(where: { $0.name == name })?.urls else {
            throw failure(
                .initialCluster, "the --name '\(name)' of this replica is not among the members.")
        }
        guard own.sorted() == urls.sorted() else {
            let advertised = urls.map(\.description).joined(separator: ",")
            throw failure(
                .initialCluster,
                "'\(name)' has other URLs than --initial-advertise-peer-urls \(advertised).")
        }
        return named.map { Member(name: $0.name, peerURLs: $0.urls, token: token) }
            .sorted { $0.id < $1.id }
    }

    /// `name=url` pairs; a name that occurs again has another URL.
    private func namedPeerURLs() throws(ConfigurationError) -> [(name: String, urls: [URL])] {
        var members: [(name: String, urls: [URL])] = []
        var seen: Set<URL> = []
        for part in (flags[.initialCluster] ?? "").split(separator: ",") {
            guard let equals = part.firstIndex(of: "="), equals > part.startIndex else {
                throw failure(
                    .initialCluster, "'\(part)' is not of the form name=http://host:port.")
            }
            let name = part[..<equals].filter { $0 != " " }
            let url = try url(part[part.index(after: equals)...], of: .initialCluster)
            guard seen.insert(url).inserted else {
                throw failure(.initialCluster, "\(url) is named twice.")
            }
            if let index = members.firstIndex(where: { $0.name == name }) {
                members[index].urls.append(url)
            } else {
                members.append((name, [url]))
            }
        }
        guard !members.isEmpty else {
            throw failure(.initialCluster, "no member is given.")
        }
        return members
    }
}
