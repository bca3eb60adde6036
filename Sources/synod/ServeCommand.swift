import ArgumentParser
import Foundation
import Logging
import SynodServer

/// `synod serve`: a replica, until a signal ends it.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run one replica.",
        discussion: """
            The flags are etcd's. Each has a variable too: ETCD_DATA_DIR for --data-dir and so on; \
            a flag wins over its variable. A single dash will do, and so will an equals sign: \
            -name=n1. Flags of etcd's that make no difference are accepted with a warning.

            Examples:
              synod serve
              synod serve --name n1 --data-dir /var/lib/synod \\
                --listen-client-urls http://0.0.0.0:2379 \\
                --advertise-client-urls http://10.0.0.1:2379 \\
                --listen-peer-urls http://10.0.0.1:2380 \\
                --initial-advertise-peer-urls http://10.0.0.1:2380 \\
                --initial-cluster n1=http://10.0.0.1:2380,n2=http://10.0.0.2:2380
            """,
        version: Version.text)

    @OptionGroup var flags: ServeFlags

    @Flag(help: "End when the standard input ends, with the program that holds its other end.")
    var exitOnStdinClose = false

    /// Not for `ETCD_` variables: nobody should come by faults without asking for them here.
    @Option(help: .hidden)
    var injectFaults: String?

    @Option(help: .hidden)
    var injectSeed: UInt64?

    /// About flags that were given and taken out before parsing.
    var warnings: [String] = []

    enum CodingKeys: CodingKey {
        case flags, exitOnStdinClose, injectFaults, injectSeed
    }

    func validate() throws {
        guard injectSeed == nil || injectFaults != nil else {
            throw ValidationError("--inject-seed means nothing without --inject-faults.")
        }
    }

    func run() async throws {
        let environment = try ServerConfiguration.flags(
            inEnvironment: ProcessInfo.processInfo.environment)
        let given = environment.flags.merging(flags.given) { _, flag in flag }
        let server = try ServerConfiguration(flags: given)
        let logger = Logger(label: "synod") { label in
            ServerLog(label: label, format: server.logFormat, logLevel: server.logLevel)
        }
        for warning in environment.warnings + warnings { logger.warning("\(warning)") }
        if exitOnStdinClose { Self.endWithStandardInput() }
        let faults = try injectFaults.map { text throws(ConfigurationError) in
            try FaultPlan(parsing: text, seed: injectSeed ?? 1)
        }
        try await Server.run(server, faults: faults, logger: logger)
    }

    /// Asks this process to end, as SIGTERM does, when its standard input ends.
    private static func endWithStandardInput() {
        Thread.detachNewThread {
            while let data = try? FileHandle.standardInput.read(upToCount: 4096), !data.isEmpty {}
            kill(getpid(), SIGTERM)
        }
    }
}
