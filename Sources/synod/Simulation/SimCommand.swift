import ArgumentParser
import Foundation
import SynodPaxos
import SynodSimulation

/// `synod sim`: whole clusters in virtual time, broken on purpose.
struct SimCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sim",
        abstract: "Break simulated clusters on purpose and check that they keep their promises.",
        discussion: """
            Real replicas run in virtual time with faults drawn from a seed; the same seed gives the \
            same run. The exit code tells what went wrong: 127 a crash, 128 something that never \
            ended, 129 something that must never happen, 130 Control-C.

            Examples:
              synod sim --seeds 1..1000
              synod sim --seed 17 --trace
              synod sim --seed 17 --shrink
              synod sim --profile brief
            """)

    @Option(
        parsing: .unconditional, help: ArgumentHelp("Run this seed alone.", valueName: "number"))
    var seed: UInt64?

    @Option(help: ArgumentHelp("Run all seeds from A through B (1..100).", valueName: "A..B"))
    var seeds: String?

    @Option(help: "What kind of trouble to make.")
    var profile = Profile.swarm

    @Option(
        parsing: .unconditional, help: ArgumentHelp("Replicas, 1 to 9 (drawn).", valueName: "count")
    )
    var replicas: Int?

    @Option(help: "Who proposes (drawn).")
    var proposers: ProposerPolicy?

    @Flag(help: "Execute commands in the order of slots, not by key.")
    var bySlot = false

    @Option(help: ArgumentHelp("Faults to leave out, as N1,P3.", valueName: "list"))
    var without: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Clients, 1 to 256 (drawn).", valueName: "count"))
    var clients: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Requests of clients (drawn).", valueName: "count"))
    var operations: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Virtual time that faults last (drawn).", valueName: "number"))
    var seconds: UInt64?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Runs at the same time (one per processor).", valueName: "count"))
    var jobs = ProcessInfo.processInfo.activeProcessorCount

    @Flag(help: "Print all that happens.")
    var trace = false

    @Flag(help: "Look for the smallest run that fails as this one.")
    var shrink = false

    @Option(help: "How to print the result.")
    var output = ClientOptions.Output.table

    func validate() throws {
        guard seed == nil || seeds == nil else {
            throw ValidationError("Only one of --seed and --seeds can be given.")
        }
        if let replicas, !(1...9).contains(replicas) {
            throw ValidationError("--replicas is between 1 and 9.")
        }
        if let clients, !(1...256).contains(clients) {
            throw ValidationError("--clients is between 1 and 256.")
        }
        if let operations, !(1...1_000_000).contains(operations) {
            throw ValidationError("--operations is between 1 and 1000000.")
        }
        if let seconds, !(1...1_000_000).contains(seconds) {
            throw ValidationError("--seconds is between 1 and 1000000.")
        }
        guard jobs > 0 else { throw ValidationError("--jobs is at least 1.") }
        if let replicas, replicas < profile.fewestReplicas {
            throw ValidationError(
                "--profile \(profile.rawValue) needs --replicas \(profile.fewestReplicas) or more.")
        }
        if profile.needsGrants, let proposers, proposers != .everyone {
            throw ValidationError(
                "--profile \(profile.rawValue) is about proposers: --proposers everyone.")
        }
        if trace || shrink {
            guard seed != nil else {
                throw ValidationError("--trace and --shrink are about one run: give its --seed.")
            }
            guard output != .json else {
                throw ValidationError("--trace and --shrink print text, not JSON.")
            }
        }
        try refuseWithoutUse()
        _ = try range
        _ = try leftOut
    }

    /// What the profile would ignore.
    private func refuseWithoutUse() throws {
        let isUseless = [
            ("--clients", clients != nil && !profile.usesClients),
            ("--operations", operations != nil && !profile.usesOperations),
            ("--seconds", seconds != nil && !profile.usesSeconds),
            ("--without", without != nil && !profile.drawsFaults),
        ]
        for case (let option, true) in isUseless {
            throw ValidationError("\(option) means nothing to --profile \(profile.rawValue).")
        }
    }

    func run() async throws {
        CrashLine.install()
        Interruption.listen()
        let code: Int32
        if shrink {
            var shrinker = Shrinker(
                try options(for: try range.lowerBound), tell: { print($0) },
                attempt: RunProcess.ending)
            code = try shrinker.run().code
        } else if let seed {
            code = try runOne(seed)
        } else {
            let sweep = SimSweep(try options(for: 0), seeds: try range, jobs: jobs)
            code = await sweep.run(asJSON: output == .json)
        }
        if code != 0 { throw ExitCode(code) }
    }

    private func runOne(_ seed: UInt64) throws -> Int32 {
        let options = try options(for: seed)
        CrashLine.begin(options.command)
        let simulation = Simulation(
            options, tell: trace ? { print($0) } : nil, isInterrupted: { Interruption.hasCome })
        let report = simulation.execute()
        let isWrong = report.failure.map { $0.kind != .interruption } ?? false
        if isWrong, !trace, output != .json {
            for line in TranscriptEnd.lines(of: options) { print(line) }
        }
        print(output == .json ? report.json : report.text)
        return report.failure?.kind.rawValue ?? 0
    }

    private func options(for seed: UInt64) throws -> RunOptions {
        var options = RunOptions(seed: seed, profile: profile)
        options.replicas = replicas
        options.proposers = proposers
        options.executesByKey = !bySlot
        options.without = try leftOut
        options.clients = clients
        options.operations = operations
        options.seconds = seconds
        return options
    }

    private var range: ClosedRange<UInt64> {
        get throws {
            if let seed { return seed...seed }
            guard let seeds else { return 1...100 }
            let ends = seeds.components(separatedBy: "..").map { text in
                text.allSatisfy("0123456789".contains) ? UInt64(text) : nil
            }
            guard ends.count == 2, let first = ends[0], let last = ends[1], first <= last else {
                throw ValidationError("--seeds is a range like 1..100.")
            }
            return first...last
        }
    }

    private var leftOut: [FaultID] {
        get throws {
            guard let without else { return [] }
            return try without.split(separator: ",", omittingEmptySubsequences: false).map { name in
                let name = name.trimmingCharacters(in: .whitespaces).uppercased()
                guard let fault = FaultID(rawValue: name) else {
                    throw ValidationError(
                        "--without: the simulator has no fault '\(name)'; see docs/simulation.md "
                            + "for those that it has and those that it cannot express.")
                }
                return fault
            }
        }
    }
}

extension Profile: ExpressibleByArgument {}
extension ProposerPolicy: ExpressibleByArgument {}
