import Foundation

/// A cluster of replicas on this machine, for trying things out.
package struct ClusterConfiguration: Sendable {
    /// 1...9.
    package var replicas = 3
    /// Holds a data directory and a log file for each replica; made when it is missing.
    package var directory = "./data"
    /// Replica k (from 1) listens for clients on `basePort + 10 (k - 1)`, for its peers one port
    /// above, and serves metrics on the next: with three replicas and the default 2379, 2389, 2399,
    /// then 2380, 2390, 2400, and 2381, 2391, 2401. That keeps nine replicas below the ports that Linux hands out to outgoing connections.
    package var basePort = 2379
    /// The program that is a replica when it is started with `serve`; by default this one.
    package var executable = Bundle.main.executablePath ?? CommandLine.arguments[0]

    /// How the replicas fail on purpose; nil: they do not.
    package var faults: Faults?

    package struct Faults: Sendable {
        /// The value of `synod serve --inject-faults`, already checked.
        package let specification: String
        /// What is drawn in each replica follows from it.
        package let seed: UInt64
        /// How a replica's process ends when a crash was injected.
        package let crashCode: Int32

        package init(specification: String, seed: UInt64, crashCode: Int32) {
            self.specification = specification
            self.seed = seed
            self.crashCode = crashCode
        }
    }

    package init() {}

    /// Throws ``ClusterError`` naming the first option that is out of its range.
    package func check() throws(ClusterError) {
        guard (1...9).contains(replicas) else { throw ClusterError("--replicas is 1 to 9") }
        guard !directory.isEmpty else { throw ClusterError("--directory names none") }
        let highest = 65_535 - 10 * (replicas - 1) - 2
        guard (1...highest).contains(basePort) else {
            throw ClusterError("with --replicas \(replicas), --base-port is 1 to \(highest)")
        }
    }
}

/// Why a cluster could not be started.
package struct ClusterError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
