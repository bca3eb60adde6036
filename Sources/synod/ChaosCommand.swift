import ArgumentParser
import Dispatch
import Foundation
import Synchronization
import SynodChaos

/// `synod chaos`: clusters of real processes that are broken on purpose.
struct ChaosCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chaos",
        abstract: "Break clusters on purpose and check what their clients saw.",
        discussion: """
            Starts members as processes on this machine with a proxy between them, puts load on \
            them, and kills, stops and cuts them off. Afterwards the history of all operations must \
            be linearizable, no acknowledged write may be missing, and all members must agree. The \
            exit code tells whether they did; it is 130 after Control-C, with a report of what was \
            played until then.

            Scenarios:
            \(Scenario.all.map { "  \($0.name): \($0.summary)" }.joined(separator: "\n"))

            Examples:
              synod chaos
              synod chaos --scenario kill-leader --members 3 --seconds 30
              synod chaos --scenario mixed --seed 7 --output json
            """)

    @Option(
        help: ArgumentHelp("One of the scenarios, several with commas, or all.", valueName: "name"))
    var scenario = "all"

    @Option(help: ArgumentHelp("Members of the cluster (3 and 5 in turn).", valueName: "3|5"))
    var members: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How long each scenario breaks things; then it waits until all is well.",
            valueName: "number"))
    var seconds = ChaosConfiguration().seconds

    @Option(help: ArgumentHelp("What is broken, and when, follows from it.", valueName: "number"))
    var seed = ChaosConfiguration().seed

    @Option(help: ArgumentHelp("Where history and logs of failed runs go.", valueName: "path"))
    var directory = ChaosConfiguration().directory

    @Option(help: "How to print the report.")
    var output = ClientOptions.Output.table

    func validate() throws {
        guard (0.1...86_400).contains(seconds) else {
            throw ValidationError("--seconds is between 0.1 and 86400.")
        }
        guard !directory.isEmpty else { throw ValidationError("--directory names none.") }
        guard members == nil || members == 3 || members == 5 else {
            throw ValidationError("--members is 3 or 5.")
        }
        let scenarios = try scenarios()
        guard !scenarios.isEmpty else {
            throw ValidationError("--scenario names none; leave it out for all.")
        }
        if let members, let unfit = scenarios.first(where: { !$0.sizes.contains(members) }),
            scenario != "all"
        {
            throw ValidationError("--scenario: \(unfit.name) is not played on \(members) members.")
        }
    }

    func run() async throws {
        var chaos = ChaosConfiguration()
        chaos.scenarios = try scenarios()
        if let members { chaos.sizes = [members] }
        chaos.seconds = seconds
        chaos.seed = seed
        chaos.directory = directory
        let isTable = output == .table
        let running = Task { [chaos] in
            try await runChaos(chaos) { line in
                isTable ? Console.sayAtOnce(line) : Console.tell(line + "\n")
            }
        }
        // A first signal ends the members in good order, and what is known so far is told; a second
        // one ends this process at once, and the members with it.
        let stop = Stop()
        let sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number)
            source.setEventHandler {
                if running.isCancelled { _exit(128 + number) }
                stop.signal.store(number, ordering: .relaxed)
                running.cancel()
            }
            source.resume()
            return source
        }
        let reports = try await running.value
        for source in sources { source.cancel() }
        print(output == .json ? reports.json : "\n" + reports.table)
        let number = stop.signal.load(ordering: .relaxed)
        if number != 0 { throw ExitCode(128 + number) }
        // Who asks for a scenario by its name wants it played.
        let isPlayed = scenario == "all" || reports.allSatisfy { $0.skipped == nil }
        if !isPlayed || !reports.allSatisfy(\.hasPassed) { throw ExitCode.failure }
    }

    /// The signal that has asked for an end; zero while none has.
    private final class Stop: Sendable {
        let signal = Atomic<Int32>(0)
    }

    private func scenarios() throws -> [Scenario] {
        if scenario == "all" { return Scenario.all }
        return try scenario.split(separator: ",", omittingEmptySubsequences: false).map { name in
            guard let found = Scenario.named(String(name)) else {
                let names = Scenario.all.map(\.name).joined(separator: ", ")
                throw ValidationError("--scenario: '\(name)' is not all or one of \(names).")
            }
            return found
        }
    }
}
