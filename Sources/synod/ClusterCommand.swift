import ArgumentParser
import SynodLauncher

/// `synod cluster`: replicas as processes on this machine.
struct ClusterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster",
        abstract: "Run a cluster of replicas on this machine, until Ctrl-C.",
        discussion: """
            Each replica is a process of its own, which can be killed to see what happens; it is \
            started again after a while.

            Examples:
              synod cluster
              synod cluster --replicas 5 --directory /tmp/five --base-port 12379
            """)

    @Option(help: ArgumentHelp("How many replicas, 1 to 9.", valueName: "count"))
    var replicas = ClusterConfiguration().replicas

    @Option(help: ArgumentHelp("Where data and logs go.", valueName: "path"))
    var directory = ClusterConfiguration().directory

    @Option(
        help: ArgumentHelp(
            "The first replica's client port; each further one is 10 higher.", valueName: "port"))
    var basePort = ClusterConfiguration().basePort

    func run() async throws {
        var cluster = ClusterConfiguration()
        cluster.replicas = replicas
        cluster.directory = directory
        cluster.basePort = basePort
        throw ExitCode(try await runCluster(cluster))
    }
}
