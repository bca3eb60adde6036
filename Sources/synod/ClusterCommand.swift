import ArgumentParser
import SynodLauncher
import SynodServer

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
              synod cluster --faults acceptor=5%,learner=5%
            """)

    @Option(help: ArgumentHelp("How many replicas, 1 to 9.", valueName: "count"))
    var replicas = ClusterConfiguration().replicas

    @Option(help: ArgumentHelp("Where data and logs go.", valueName: "path"))
    var directory = ClusterConfiguration().directory

    @Option(
        help: ArgumentHelp(
            "The first replica's client port, with those of its peers and metrics after it; each "
                + "further replica's are 10 higher.", valueName: "port"))
    var basePort = ClusterConfiguration().basePort

    @Option(
        help: ArgumentHelp(
            "Have replicas lose, delay and forget messages, and die, at this share of what they "
                + "handle, as in acceptor=5%,learner=5%.", valueName: "shares"))
    var faults: String?

    @Option(help: ArgumentHelp("What --faults draws follows from it (1).", valueName: "number"))
    var faultSeed: UInt64?

    func validate() throws {
        guard faults != nil || faultSeed == nil else {
            throw ValidationError("--fault-seed says nothing without --faults.")
        }
        do {
            if let faults { _ = try FaultPlan(parsing: faults, seed: 1) }
        } catch {
            throw ValidationError("--faults: \(error)")
        }
        do {
            try cluster.check()
        } catch {
            throw ValidationError("\(error).")
        }
    }

    func run() async throws {
        throw ExitCode(try await runCluster(cluster, say: Console.sayAtOnce))
    }

    private var cluster: ClusterConfiguration {
        var cluster = ClusterConfiguration()
        cluster.replicas = replicas
        cluster.directory = directory
        cluster.basePort = basePort
        if let faults {
            cluster.faults = .init(
                specification: faults, seed: faultSeed ?? 1, crashCode: FaultInjector.crashCode)
        }
        return cluster
    }
}
