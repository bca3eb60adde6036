/// What one replica of the cluster is started with.
package struct ReplicaPlan: Sendable {
    package static let host = "127.0.0.1"

    package let name: String
    package let clientPort: Int
    package let peerPort: Int
    /// Nil: it serves no metrics.
    package let metricsPort: Int?
    package let dataDirectory: String
    package let logFile: String
    /// The command line behind the program's name.
    package let arguments: [String]

    package var clientEndpoint: String { "\(Self.host):\(clientPort)" }
    package var peerEndpoint: String { "\(Self.host):\(peerPort)" }
    package var metricsEndpoint: String? { metricsPort.map { "\(Self.host):\($0)" } }

    private static func flags(_ faults: ClusterConfiguration.Faults?, _ number: Int) -> [String] {
        guard let faults else { return [] }
        let seed = faults.seed &+ UInt64(number)
        return ["--inject-faults", faults.specification, "--inject-seed", "\(seed)"]
    }

    /// A replica that serves no metrics.
    package init(
        name: String, clientPort: Int, peerPort: Int, dataDirectory: String, logFile: String,
        arguments: [String]
    ) {
        self.name = name
        self.clientPort = clientPort
        self.peerPort = peerPort
        metricsPort = nil
        self.dataDirectory = dataDirectory
        self.logFile = logFile
        self.arguments = arguments
    }

    /// The replicas of a cluster, in the order of their names.
    package static func all(of configuration: ClusterConfiguration) -> [ReplicaPlan] {
        let numbers = 1...configuration.replicas
        func peerPort(_ number: Int) -> Int { configuration.basePort + 10 * (number - 1) + 1 }
        let cluster = numbers.map { "n\($0)=http://\(host):\(peerPort($0))" }
            .joined(separator: ",")
        return numbers.map { number in
            ReplicaPlan(
                number, peerPort: peerPort(number), cluster: cluster,
                directory: configuration.directory, faults: configuration.faults)
        }
    }

    private init(
        _ number: Int, peerPort: Int, cluster: String, directory: String,
        faults: ClusterConfiguration.Faults?
    ) {
        name = "n\(number)"
        self.peerPort = peerPort
        clientPort = peerPort - 1
        let metricsPort = peerPort + 1
        self.metricsPort = metricsPort
        dataDirectory = "\(directory)/\(name)"
        logFile = "\(directory)/\(name).log"
        let client = "http://\(Self.host):\(clientPort)"
        let peer = "http://\(Self.host):\(peerPort)"
        arguments =
            [
                "serve",
                // Replicas must not outlive a launcher that was killed: its end of their standard
                // input closes with it.
                "--exit-on-stdin-close",
                "--name", name, "--data-dir", dataDirectory,
                "--listen-client-urls", client, "--advertise-client-urls", client,
                "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
                "--listen-metrics-urls", "http://\(Self.host):\(metricsPort)",
                "--initial-cluster", cluster, "--initial-cluster-token", "synod-local",
                "--initial-cluster-state", "new",
            ] + Self.flags(faults, number)
    }
}
