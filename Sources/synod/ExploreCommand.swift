import ArgumentParser
import Foundation
import SynodExplorer
import SynodPaxos

/// `synod explore`: every state that a small cluster can reach, one by one.
struct ExploreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explore",
        abstract: "Visit every state of a small cluster and check each.",
        discussion: """
            Explores the consensus core that the server runs: every order in which messages arrive, \
            are lost or come twice, writes complete, replicas campaign, crash and start again, \
            within the bounds given. The end is 0 if all states were visited and are in order, 1 if \
            one is not, 2 if the limit was reached first, 130 after Control-C.

            Examples:
              synod explore
              synod explore --campaigns 1,1 --commands 1,2 --terse
              synod explore --slots 3 --commands 1,1 --crashes 0,0,1 --terse --prompt-disks
              synod explore --proposers everyone --commands 2 --abandonments 1
              synod explore --unreduced --terse
              synod explore --crash-points
              synod explore --campaigns 0,2 --terse --output json
            """)

    @Option(help: ArgumentHelp("Acceptors, 2 to 5.", valueName: "count"))
    var replicas = 3

    @Option(help: ArgumentHelp("How often each replica may campaign.", valueName: "list"))
    var campaigns = "0,1"

    @Option(help: ArgumentHelp("The replica that each command is given to.", valueName: "list"))
    var commands = "1"

    @Option(help: ArgumentHelp("Keys that the commands touch; 0: all.", valueName: "count"))
    var keys = 0

    @Flag(help: "After a crash, let a client ask for one more command.")
    var askAgain = false

    @Option(help: "Who proposes what clients want.")
    var proposers = ProposerPolicy.leader

    @Option(
        help: ArgumentHelp("How often a leader may give up on a proposer.", valueName: "count"))
    var abandonments = 0

    @Option(help: "Whether a replica leads at the start.")
    var start = Scope.Start.led

    @Option(help: ArgumentHelp("The last slot that is replicated.", valueName: "number"))
    var slots = 2

    @Option(help: ArgumentHelp("Slots in flight, at most.", valueName: "count"))
    var window = 1

    @Option(help: ArgumentHelp("How often each replica may crash.", valueName: "list"))
    var crashes = "0"

    @Flag(help: "Deliver refusals as well; without them they are always lost.")
    var nacks = false

    @Flag(help: "Complete writes at once where no crash can lose them.")
    var promptDisks = false

    @Flag(help: "Lose what adds little, as a second promise of one ballot.")
    var terse = false

    @Flag(help: "Visit also states that others stand for; finds the same and takes longer.")
    var unreduced = false

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("States after which to give up.", valueName: "count"))
    var limit = 1_500_000_000

    @Flag(help: "Instead, crash at every point between the effects of one decision.")
    var crashPoints = false

    @Flag(help: "Do not tell how it goes.")
    var quiet = false

    @Option(help: "How to print the report.")
    var output = ClientOptions.Output.table

    func validate() throws {
        if crashPoints {
            let given = try scope
            guard given == (try Self.parse([]).scope) else {
                throw ValidationError("--crash-points plays one script, and takes no scope.")
            }
        }
        if let flaw = try scope.flaw { throw ValidationError("This cannot be explored: \(flaw).") }
    }

    private var scope: Scope {
        get throws {
            var scope = Scope()
            scope.replicas = replicas
            scope.campaigns = try Self.numbers(campaigns, "--campaigns")
            scope.commands = try Self.numbers(commands, "--commands").map { $0 - 1 }
            scope.keys = keys
            scope.asksAgain = askAgain
            scope.proposers = proposers
            scope.abandonments = abandonments
            scope.start = start
            scope.slots = slots
            scope.window = window
            scope.crashes = try Self.numbers(crashes, "--crashes")
            scope.hasNacks = nacks
            scope.hasPromptDisks = promptDisks
            scope.isTerse = terse
            scope.isReduced = !unreduced
            scope.stateLimit = limit
            return scope
        }
    }

    private static func numbers(_ list: String, _ option: String) throws -> [Int] {
        try list.split(separator: ",", omittingEmptySubsequences: list.isEmpty).map { text in
            guard let number = Int(text), (0...99).contains(number) else {
                throw ValidationError("\(option): '\(text)' is not a small number.")
            }
            return number
        }
    }

    func run() throws {
        if crashPoints { return try sweepCrashPoints() }
        Interruption.listen()
        let clock = ContinuousClock()
        let start = clock.now
        var explorer = Explorer(try scope)
        let outcome = explorer.run(
            { progress in
                guard !quiet else { return }
                Self.show(
                    "\(progress.states) states, \(progress.waiting) waiting, depth \(progress.depth)"
                )
            }, isStopped: { Interruption.hasCome })
        let report = ExploreReport(
            outcome: outcome, progress: explorer.progress, time: clock.now - start)
        if !quiet, Self.isWatched { Self.show("") }
        print(output == .json ? report.json : report.table)
        if let ending = report.ending { throw ending }
    }

    private static var isWatched: Bool { isatty(STDERR_FILENO) != 0 }

    /// Tells how it goes: in one line that is replaced where somebody looks, else in one after
    /// another.
    private static func show(_ line: String) {
        let text = isWatched ? "\r\u{1b}[K\(line)" : "\(line)\n"
        Console.tell(text)
    }

    private func sweepCrashPoints() throws {
        let sweep = CrashPoints.sweep()
        switch output {
        case .json:
            print(#"{"points":\#(sweep.points),"failures":\#(sweep.failures.count)}"#)
        case .table:
            print("\(sweep.points) crash points, \(sweep.failures.count) failures")
        }
        for failure in sweep.failures { print(failure) }
        if !sweep.failures.isEmpty { throw ExitCode.failure }
    }
}

extension Scope.Start: ExpressibleByArgument {}
