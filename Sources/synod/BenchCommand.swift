import ArgumentParser
import SynodBench

/// `synod bench`: load on any cluster that speaks etcd's interface, and what came of it.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Put load on a cluster and measure it.",
        discussion: """
            The endpoints may be synod's or etcd's. With --rate, a latency counts from when the \
            operation was due.

            Examples:
              synod bench put
              synod bench range --clients 256 --operations 100000 --output json
              synod bench mixed --seconds 30 --rate 2000 --endpoints 127.0.0.1:2379,127.0.0.1:2389
            """)

    @Argument(help: "What to do.")
    var mode: BenchConfiguration.Mode

    @Option(help: ArgumentHelp("Replicas to load, host:port.", valueName: "list"))
    var endpoints = "127.0.0.1:2379"

    @Option(help: ArgumentHelp("Operations in flight at once.", valueName: "count"))
    var clients = 64

    @Option(help: ArgumentHelp("Connections that the clients share.", valueName: "count"))
    var connections = 9

    @Option(help: ArgumentHelp("How many operations to do (10000).", valueName: "count"))
    var operations: Int?

    @Option(help: ArgumentHelp("How long to go on, instead of --operations.", valueName: "number"))
    var seconds: Double?

    @Option(help: ArgumentHelp("Different keys.", valueName: "count"))
    var keys = 10_000

    @Option(help: ArgumentHelp("Size of a value.", valueName: "bytes"))
    var valueBytes = 256

    @Option(help: ArgumentHelp("Operations to begin per second (no bound).", valueName: "number"))
    var rate: Double?

    @Option(help: ArgumentHelp("Processes whose use of the machine to report.", valueName: "list"))
    var pids: String?

    @Flag(help: "Take the keys as they are instead of writing them first.")
    var skipFill = false

    @Flag(help: "Do not tell how it goes.")
    var quiet = false

    @Option(help: "How to print the report.")
    var output = ClientOptions.Output.table

    func validate() throws {
        guard operations == nil || seconds == nil else {
            throw ValidationError("Only one of --operations and --seconds can be given.")
        }
        if let seconds, !(0.001...1_000_000).contains(seconds) {
            throw ValidationError("--seconds is between 0.001 and 1000000.")
        }
    }

    func run() async throws {
        var bench = BenchConfiguration(
            mode: mode, endpoints: endpoints.split(separator: ",").map(String.init))
        bench.clients = clients
        bench.connections = connections
        if let operations { bench.extent = .operations(operations) }
        if let seconds { bench.extent = .duration(.seconds(seconds)) }
        bench.keys = keys
        bench.valueBytes = valueBytes
        bench.rate = rate
        bench.processes = try Self.processes(pids)
        bench.fillsKeys = !skipFill
        bench.showsProgress = !quiet
        let report = try await runBench(bench)
        print(output == .json ? report.json : report.table)
        if report.failedOperations > 0 { throw ExitCode.failure }
    }

    private static func processes(_ list: String?) throws -> [Int32] {
        try (list ?? "").split(separator: ",").map { text in
            guard let id = Int32(text), id > 0 else {
                throw ValidationError("--pids: '\(text)' is not a process id.")
            }
            return id
        }
    }
}

extension BenchConfiguration.Mode: ExpressibleByArgument {}
