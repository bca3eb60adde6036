import ArgumentParser

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
        } catch {
            exit(withError: error)
        }
    }
}
