// Looks for the planted bug that SYNOD_BUG selects; built with SYNOD_PLANTED=1 only. See
// scripts/planted.
//
//   PlantedFinder explore            every state of some small scopes
//   PlantedFinder points             a crash between any two effects of a decision
//   PlantedFinder swarm FIRST COUNT  clusters under random faults, one for each seed
//   PlantedFinder duel FIRST COUNT   clusters whose replicas all campaign at once
//   PlantedFinder sim FIRST COUNT PROFILE  whole nodes, as synod sim runs them
//
// Ends with 3 when it has found something, having said what and after how much, and with 0 if not.
// A precondition of the core that fails ends it as well: the last line then says where it was.

import Foundation
import SynodExplorer
import SynodPaxos
import SynodSimulation

@main enum PlantedFinder {
    private static let found: Int32 = 3

    /// Small enough to take seconds together when nothing is wrong.
    private static var scopes: [(name: String, scope: Scope)] {
        var led = Scope()
        led.start = .led
        led.campaigns = [0, 1]
        led.commands = [0]
        var even = led
        even.replicas = 4
        even.isTerse = true
        even.stateLimit = 3_000_000
        var restarted = Scope()
        restarted.replicas = 2
        restarted.campaigns = [2]
        restarted.commands = []
        restarted.slots = 1
        restarted.crashes = [1]
        var granted = led
        granted.commands = [1]
        granted.proposers = .everyone
        granted.abandonments = 1
        granted.isTerse = true
        var again = granted
        again.campaigns = [0]
        again.crashes = [0, 1]
        again.asksAgain = true
        // What the leader proposes by itself tells the new start of the leader.
        again.commands = [0, 1]
        again.window = 2
        again.slots = 4
        again.abandonments = 0
        var ahead = granted
        ahead.campaigns = [0]
        ahead.window = 2
        ahead.slots = 4
        ahead.commands = [1, 1]
        ahead.keys = 1
        ahead.abandonments = 0
        var three = ahead
        three.window = 3
        three.slots = 6
        three.commands = [1, 1, 1]
        three.abandonments = 1
        three.stateLimit = 1_000_000
        return [
            ("3 replicas", led), ("4 replicas", even), ("restart", restarted),
            ("grants", granted), ("grants, restart", again), ("grants, two slots", ahead),
            ("grants, three slots", three),
        ]
    }

    private static func say(_ text: String) {
        print(text)
        fflush(nil)
    }

    private static func explore() -> Int32 {
        for (name, scope) in scopes {
            say("scope \(name)")
            var explorer = Explorer(scope)
            if case .violated(let violation, let trace) = explorer.run() {
                say(
                    "found \(explorer.progress.states) \(violation.rule.rawValue): \(violation.reason)"
                )
                for line in trace { print("  \(line)") }
                return found
            }
        }
        return 0
    }

    private static func sweepCrashPoints() -> Int32 {
        let sweep = CrashPoints.sweep()
        guard let failure = sweep.failures.first else { return 0 }
        say("found \(sweep.points) \(failure)")
        return found
    }

    private static func runSwarm(first: UInt64, count: UInt64) -> Int32 {
        for seed in first..<first + count {
            say("seed \(seed)")
            var swarm = Swarm(seed: seed)
            if let failure = swarm.run() {
                say("found \(seed - first + 1) \(failure)")
                return found
            }
        }
        return 0
    }

    /// Everyone has been alone for a while and campaigns when they meet: a leader must come of it.
    private static func duel(_ seed: UInt64) -> String? {
        var options = Cluster.Options()
        options.seed = seed
        options.count = 3 + Int(seed % 7)
        options.quality.delay = .milliseconds(5)
        options.quality.spread = .milliseconds(seed / 7 % 4 * 20)
        options.diskDelay = .milliseconds(5)
        options.diskSpread = .milliseconds(20)
        let cluster = Cluster(options)
        cluster.network.keepOnly([])
        cluster.run(for: .milliseconds(3000))
        cluster.stabilize()
        let isLed = cluster.run(atMost: options.timing.election * 3) { cluster in
            cluster.leader.map { leader in
                cluster.hosts.allSatisfy { $0.replica!.leader == cluster.hosts[leader].id }
            } ?? false
        }
        return isLed ? nil : "no leader within three election timeouts"
    }

    private static func runDuels(first: UInt64, count: UInt64) -> Int32 {
        for seed in first..<first + count {
            say("seed \(seed)")
            if let failure = duel(seed) {
                say("found \(seed - first + 1) \(failure)")
                return found
            }
        }
        return 0
    }

    private static func simulate(_ profile: Profile, first: UInt64, count: UInt64) -> Int32 {
        for seed in first..<first + count {
            say("seed \(seed)")
            let report = Simulation(RunOptions(seed: seed, profile: profile)).execute()
            if let failure = report.failure {
                say("found \(seed - first + 1) \(failure.invariant): \(failure.message)")
                return found
            }
        }
        return 0
    }

    static func main() {
        let words = Array(CommandLine.arguments.dropFirst())
        switch words.first {
        case "explore": exit(explore())
        case "points": exit(sweepCrashPoints())
        case "swarm" where words.count == 3:
            exit(runSwarm(first: UInt64(words[1])!, count: UInt64(words[2])!))
        case "duel" where words.count == 3:
            exit(runDuels(first: UInt64(words[1])!, count: UInt64(words[2])!))
        case "sim" where words.count == 4:
            exit(
                simulate(
                    Profile(rawValue: words[3])!, first: UInt64(words[1])!,
                    count: UInt64(words[2])!))
        default:
            say("usage: see the head of PlantedFinder.swift")
            exit(64)
        }
    }
}
