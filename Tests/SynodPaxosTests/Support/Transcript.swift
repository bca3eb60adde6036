import Foundation
import SynodBytes
import SynodPaxos

/// Runs a transcript: commands, and below `----` what they cause. See ``TranscriptTests``.
///
/// ```
/// add 3                 three replicas, 1 ms apart, whose disks take 1 ms
/// settle                lets time pass untold until they have a leader and nothing to do
/// tick 100ms            lets time pass
/// submit 1 a            a client of replica 1 wants command `a` executed
/// read 2                a client of replica 2 wants to read
/// deliver               lets time pass until no message but heartbeats is under way
/// drop 1->3             loses what 1 sends to 3 from now on
/// disconnect 1 3        1 hears that its stream from 3 broke
/// crash 2               replica 2 dies; what its disk has not written is lost
/// restart 2             it starts again
/// partition 1 | 2 3     only replicas of one group reach each other
/// stabilize             everything works again, until everyone agrees
/// status                a line for each replica
/// ```
final class Transcript {
    private var cluster: Cluster?
    private var lines: [String] = []
    private var noops: [(prefix: String, first: String, last: String)] = []

    /// The transcript with its outcome rewritten as it is now.
    static func rewritten(_ text: String) -> String {
        let transcript = Transcript()
        let blocks = text.components(separatedBy: "\n\n").map { block in
            transcript.run(block.components(separatedBy: "\n----")[0])
        }
        return blocks.joined(separator: "\n\n") + "\n"
    }

    /// Runs one block; lines that begin with `#` are remarks.
    private func run(_ block: String) -> String {
        let commands = block.split(separator: "\n").map(String.init)
        guard commands.contains(where: { !$0.hasPrefix("#") }) else {
            return commands.joined(separator: "\n")
        }
        lines = []
        for command in commands where !command.hasPrefix("#") { run(command: command) }
        flushNoops()
        let outcome = lines.isEmpty ? ["(nothing)"] : lines
        return (commands + ["----"] + outcome).joined(separator: "\n")
    }

    private func run(command: String) {
        let words = command.split { " ->|".contains($0) }.map(String.init)
        if words[0] == "add" { return add(Int(words[1])!) }
        let cluster = cluster!
        func index(_ word: Int) -> Int { Int(words[word])! - 1 }
        switch words[0] {
        case "settle":
            let log = cluster.log
            cluster.log = nil
            if !cluster.run(atMost: .milliseconds(10_000), until: { $0.isSettled }) {
                lines.append("not settled after ten seconds")
            }
            cluster.log = log
        case "tick": cluster.run(for: .milliseconds(UInt64(words[1].dropLast(2))!))
        case "submit":
            cluster.submit(Array(words[2].utf8), at: index(1), within: .milliseconds(1 << 30))
        case "read": cluster.read(at: index(1))
        case "deliver": deliver(cluster)
        case "drop": cluster.network.cut(from: index(1), to: index(2))
        case "disconnect": cluster.disconnect(index(1), from: index(2))
        case "crash": cluster.crash(index(1))
        case "restart": cluster.start(index(1))
        case "partition":
            let groups = command.dropFirst("partition".count).split(separator: "|")
            cluster.network.partition(
                groups.map { $0.split(separator: " ").map { Int($0)! - 1 } })
        case "stabilize":
            cluster.stabilize()
            if !cluster.run(atMost: .milliseconds(10_000), until: { $0.isSettled }) {
                lines.append("not stable after ten seconds")
            }
        case "status":
            flushNoops()
            lines.append(contentsOf: cluster.status)
        default: lines.append("an unknown command: \(command)")
        }
        if let failure = cluster.checker.failure { lines.append("WRONG: \(failure)") }
    }

    private func add(_ count: Int) {
        var options = Cluster.Options()
        options.count = count
        options.stateKept = 0
        options.page = 1000
        let cluster = Cluster(options)
        cluster.log = { [unowned self, unowned cluster] in say($0, at: cluster.clock) }
        self.cluster = cluster
    }

    /// Until nothing has happened for as long as a message takes.
    private func deliver(_ cluster: Cluster) {
        let end = cluster.now + .milliseconds(90)
        _ = cluster.run(atMost: end.since(cluster.now)) { cluster in
            !cluster.queue.contains { event in
                switch event {
                case .deliver(.heartbeat, _, _), .deliver(.heard, _, _), .wake, .install, .act:
                    false
                case .deliver, .synced, .step, .input: true
                }
            }
        }
    }

    /// Notes what happened. The heartbeats of a quiet cluster say nothing, and neither does a line
    /// repeated; the no-ops of a new leader would fill pages: a run of them becomes one line.
    private func say(_ what: String, at clock: String) {
        if what.contains("heartbeat") || what.contains(" heard ") { return }
        guard let run = noopRun(what) else {
            flushNoops()
            let line = "\(clock) \(what)"
            if lines.last != line { lines.append(line) }
            return
        }
        let prefix = "\(clock) \(run.prefix)"
        if let index = noops.firstIndex(where: { $0.prefix == prefix }) {
            noops[index].last = run.slot
        } else {
            noops.append((prefix, run.slot, run.slot))
        }
    }

    private func flushNoops() {
        for run in noops {
            let slots = run.first == run.last ? run.first : "\(run.first)...\(run.last)"
            lines.append("\(run.prefix) \(slots)=[]")
        }
        noops = []
    }

    /// The parts of a line about one slot that holds a no-op.
    private func noopRun(_ what: String) -> (prefix: String, slot: String)? {
        guard !what.contains("promise "), !what.contains("fetched"),
            let range = what.range(of: "=[]")
        else { return nil }
        let words = what[..<range.lowerBound].split(separator: " ")
        return (words.dropLast().joined(separator: " "), String(words.last!))
    }
}
