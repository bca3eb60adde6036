import ArgumentParser
import Foundation

/// The one executable: a replica, a cluster of them on this machine, a load generator and a client.
@main struct Synod: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "synod",
        abstract: "A fault-tolerant key-value store that etcd's clients can use.",
        discussion: """
            Examples:
              synod cluster --replicas 3          a cluster on this machine, to try things on
              synod serve                         one replica on ports 2379 and 2380
              synod put greeting hello            write a key
              synod get greeting                  read it
              synod status --output json          how the replicas are
            """,
        version: Version.text,
        subcommands: [
            ServeCommand.self, ClusterCommand.self, BenchCommand.self, SimCommand.self,
            ChaosCommand.self, ExploreCommand.self, PutCommand.self, GetCommand.self,
            DeleteCommand.self, TransactionCommand.self, StatusCommand.self, VersionCommand.self,
        ])

    static func main() async {
        do {
            let serve = try ServeArguments(Array(CommandLine.arguments.dropFirst()))
            var command = try parseAsRoot(serve.arguments)
            if var server = command as? ServeCommand {
                server.warnings = serve.warnings
                try await server.run()
            } else if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            end(with: nil)
        } catch {
            end(with: error)
        }
    }

    /// Ends the process: also with an error if the command has none but not all that it printed could
    /// be written, for a report that nobody can read is none.
    private static func end(with error: (any Error)?) -> Never {
        let code = error.map { exitCode(for: $0) } ?? .success
        // Help that was asked for comes as an error.
        if let error, code == .success { print(fullMessage(for: error)) }
        guard Console.hasPrintedAll() else {
            Console.tell("Error: not all of the output could be written to where it goes.\n")
            exit(withError: code == .success ? ExitCode.failure : error)
        }
        exit(withError: code == .success ? nil : error)
    }
}
