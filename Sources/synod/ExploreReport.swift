import ArgumentParser
import Foundation
import SynodExplorer

/// What came of an exploration, for people and for programs.
struct ExploreReport {
    let outcome: Explorer.Outcome
    let progress: Explorer.Progress
    let time: Duration

    /// How the command ends; nil if all is well.
    var ending: (any Error)? {
        switch outcome {
        case .exhausted: nil
        case .violated: ExitCode(1)
        case .cutOff: ExitCode(2)
        case .stopped: ExitCode(Interruption.exitCode)
        case .overfull:
            ValidationError(
                "This cannot be explored: more than \(Explorer.votesAtMost) different votes come "
                    + "up. Give fewer --commands, --campaigns, --slots or --abandonments.")
        }
    }

    private var verdict: String {
        switch outcome {
        case .exhausted: "exhausted"
        case .violated(let violation, _): "violated: \(violation.rule.rawValue)"
        case .cutOff: "cut off"
        case .stopped: "interrupted"
        case .overfull: "too large"
        }
    }

    private var trace: [String] {
        if case .violated(let violation, let trace) = outcome {
            trace + [violation.reason]
        } else {
            []
        }
    }

    private var seconds: Double {
        Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
    }

    var table: String {
        var table = Table()
        table.add("verdict", verdict)
        table.add("states", "\(progress.states)")
        table.add("transitions", "\(progress.transitions)")
        table.add("depth", "\(progress.depth)")
        table.add(
            "states of each replica", progress.replicaStates.map(String.init).joined(separator: " ")
        )
        table.add(
            "with all that it sent", progress.positions.map(String.init).joined(separator: " "))
        table.add("messages", "\(progress.messages)")
        table.add("steps of the core", "\(progress.steps)")
        table.add("seconds", String(format: "%.1f", seconds))
        return ([table.text] + trace).joined(separator: "\n")
    }

    var json: String {
        struct Fields: Encodable {
            let verdict: String
            let states: Int
            let transitions: Int
            let depth: Int
            let replicaStates: [Int]
            let positions: [Int]
            let messages: Int
            let steps: Int
            let seconds: Double
            let trace: [String]
        }
        let fields = Fields(
            verdict: verdict, states: progress.states, transitions: progress.transitions,
            depth: progress.depth, replicaStates: progress.replicaStates,
            positions: progress.positions, messages: progress.messages, steps: progress.steps,
            seconds: seconds, trace: trace)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        guard let data = try? encoder.encode(fields) else { return "{}" }
        return String(decoding: data, as: UTF8.self)
    }
}
