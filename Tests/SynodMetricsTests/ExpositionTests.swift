import Foundation
import SynodKeyspace
import SynodMetrics
import SynodNode
import SynodPaxos
import SynodTransport
import Testing

@Suite struct ExpositionTests {
    @Test func labelsAndHelpAreEscaped() {
        let family = MetricFamily(
            "m", .gauge, "A \"word\",\na \\.",
            samples: [
                .init(
                    labels: [.init(name: "a", value: "1\"2\\3\n4"), .init(name: "b", value: "")],
                    value: .decimal(0.5)),
                .init(labels: [], value: MetricValue(UInt64.max)),
            ])
        #expect(
            Exposition.text([family]) == #"""
                # HELP m A "word",\na \\.
                # TYPE m gauge
                m{a="1\"2\\3\n4",b=""} 0.5
                m 9223372036854775807

                """#)
    }

    @Test func whatIsNotKnownIsLeftOut() {
        #expect(Exposition.text([MetricFamily("m", .counter, "No value.", nil)]) == "")
    }

    /// `SYNOD_REWRITE=1` writes down what is told now.
    @Test func membersTellWhatTheyKnow() throws {
        let url = Bundle.module.bundleURL.appending(path: "Transcripts/members.txt")
        let expected = try String(contentsOf: url, encoding: .utf8)
        let actual = MetricsTranscript.rewritten(expected)
        if ProcessInfo.processInfo.environment["SYNOD_REWRITE"] != nil {
            let source = URL(filePath: #filePath).deletingLastPathComponent()
                .appending(path: "Transcripts/members.txt")
            try actual.write(to: source, atomically: true, encoding: .utf8)
        } else {
            #expect(actual == expected, "SYNOD_REWRITE=1 writes down what is told now")
        }
    }
}

/// Blocks of commands, each with what comes of them under `----`:
///
///     member leader=8 revision=12 alarm=NOSPACE:9     a member 7, as far as it is not the usual one
///     metrics etcd_server                             its metrics whose names begin so
///     health exclude=NOSPACE                          its answer to GET /health?exclude=NOSPACE
enum MetricsTranscript {
    static func rewritten(_ text: String) -> String {
        let blocks = text.trimmingCharacters(in: .newlines).components(separatedBy: "\n\n")
        return blocks.map { block in
            let commands = block.components(separatedBy: "\n----")[0]
            return "\(commands)\n----\n\(output(of: commands.components(separatedBy: "\n")))"
        }.joined(separator: "\n\n") + "\n"
    }

    private static func output(of commands: [String]) -> String {
        var snapshot = member([])
        var output: [String] = []
        for command in commands where !command.hasPrefix("#") {
            var words = command.split(separator: " ")
            switch words.removeFirst() {
            case "member": snapshot = member(words)
            case "metrics":
                let families = snapshot.families(of: MetricsIdentity(member: 7, version: "3.6.5"))
                let wanted = families.filter { family in
                    words.isEmpty || words.contains { family.name.hasPrefix($0) }
                }
                output.append(Exposition.text(wanted).trimmingCharacters(in: .newlines))
            case "health":
                let query = HealthReport.Exclusions(query: words.first ?? "")
                output.append(HealthReport(snapshot.status, without: query).json)
            default: output.append("what is \(command)?")
            }
        }
        return output.joined(separator: "\n")
    }

    private static func member(_ settings: [Substring]) -> MetricsSnapshot {
        var (status, peers) = (ReplicaStatus(), [PeerID: PeerStatistics]())
        status.leader = 8
        for setting in settings {
            let parts = setting.split { "=:".contains($0) }
            let numbers = parts.dropFirst().map { UInt64($0) ?? 0 }
            switch parts[0] {
            case "leader": status.leader = numbers[0]
            case "revision": status.revision = Int64(numbers[0])
            case "compacted": status.compactRevision = Int64(numbers[0])
            case "keys": status.keyCount = Int(numbers[0])
            case "slots": (status.chosenThrough, status.appliedThrough) = (numbers[0], numbers[1])
            case "waiting": status.waitingWrites = Int(numbers[0])
            case "bytes":
                (status.storedBytes, status.usedBytes) = (numbers[0], numbers[1])
                status.quotaBytes = numbers[2]
            case "alarm":
                let kind = parts[1] == "NOSPACE" ? Alarm.Kind.noSpace : .corrupt
                status.alarms.append(Alarm(memberID: numbers[1], kind: kind))
            case "lost-state": status.lacksState = true
            case "proposes": status.proposers.isProposing = true
            case "proposed":
                (status.proposers.slotsAllowed, status.proposers.entriesProposed) =
                    (numbers[0], numbers[1])
                (status.proposers.batchesForwarded, status.proposers.commandsDelayed) =
                    (numbers[2], numbers[3])
                (status.proposers.slotsLost, status.proposers.switches) = (numbers[4], numbers[5])
            case "granted":
                (status.proposers.slotsGranted, status.proposers.slotsAbandoned) =
                    (numbers[0], numbers[1])
                status.proposers.activeProposers = numbers[2]
            case "peer":
                let id = PeerID(numbers[0])
                peers[id, default: .init()].sentBytes = numbers[1]
                peers[id, default: .init()].receivedBytes = numbers[2]
                peers[id, default: .init()].droppedMessages = numbers[3]
            default: preconditionFailure("There is no setting \(setting).")
            }
        }
        return MetricsSnapshot(status: status, leadersSeen: 2, peers: peers)
    }
}
