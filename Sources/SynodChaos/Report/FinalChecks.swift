import EtcdWire
import Foundation
import SynodBytes
import SynodCheck
import SynodClient

/// What must hold when everything is mended and the load has ended.
struct FinalChecks {
    private static let patience = Duration.seconds(30)

    let cluster: ChaosCluster
    let history: History

    func run(into report: inout RunReport) async {
        let leeway = Leeway(skipped: skipped, allowsLateHeaders: true)
        judge("revision order", RevisionOrderCheck.judge(history, allowing: leeway), &report)
        judge("linearizability", LinearizabilityCheck.judge(history), &report)
        await check("acknowledged writes", &report) { try await findLost() }
        await check("equal hashes", &report) { try await compareHashes() }
        await check("processes", &report) { cluster.members.flatMap(\.unexpectedEnds) }
        await check("logs", &report) {
            // What Swift says of a trap: the one where it knows why, the other where it does not.
            cluster.members.filter { member in
                let log = member.log(last: .max)
                return log.contains("Fatal error") || log.contains("Program crashed")
            }.map { "The log of \($0.name) tells of a fatal error." }
        }
    }

    /// The revisions that members say were left out, as their slots came to nothing.
    private var skipped: Set<Int64> {
        var skipped: Set<Int64> = []
        for member in cluster.members {
            for line in member.log(last: .max).split(separator: "\n")
            where line.contains("leaves revisions out") {
                let ends = ["from=", "through="].map { name in
                    line.split(separator: " ").first { $0.hasPrefix(name) }
                        .flatMap { Int64($0.dropFirst(name.count)) }
                }
                guard let first = ends[0], let last = ends[1], first <= last,
                    last - first < 1_000_000
                else { continue }
                skipped.formUnion(first...last)
            }
        }
        return skipped
    }

    private func judge(_ name: String, _ verdict: Verdict, _ report: inout RunReport) {
        switch verdict {
        case .valid: report.verdicts[name] = "valid"
        case .violation(let violation):
            report.verdicts[name] = "violation"
            report.violations.append("\(name): \(violation)")
        case .undecided(let reason):
            report.verdicts[name] = "undecided"
            report.violations.append("\(name): undecided: \(reason)")
        }
    }

    private func check(
        _ name: String, _ report: inout RunReport, _ findings: () async throws -> [String]
    ) async {
        do {
            let found = try await findings()
            report.verdicts[name] = found.isEmpty ? "valid" : "violation"
            report.violations += found
        } catch {
            report.verdicts[name] = "undecided"
            report.violations.append("\(name): \(error)")
        }
    }

    /// Every acknowledged entry of the ledger is read at every member.
    private func findLost() async throws -> [String] {
        var acknowledged: [Bytes: Bytes] = [:]
        for operation in history.operations where operation.response != nil {
            if case .put(let key, let value, _) = operation.request,
                RequestMix.ledger.contains(key)
            {
                acknowledged[key] = value
            }
        }
        var findings: [String] = []
        for member in cluster.members {
            let response = try await with(member) { client throws(ClientError) in
                try await client.range(
                    EtcdRangeRequest(RequestMix.ledger, isSerializable: false))
            }
            let pairs = response.kvs.map { (Bytes($0.key), Bytes($0.value)) }
            let stored = Dictionary(pairs) { first, _ in first }
            let lost = acknowledged.count { stored[$0.key] != $0.value }
            if lost > 0 {
                findings.append(
                    "\(member.name) lost \(lost) of \(acknowledged.count) acknowledged writes.")
            }
        }
        return findings
    }

    /// All members have the same keys at the same revision.
    private func compareHashes() async throws -> [String] {
        let marker = try await with(cluster.members[0]) { client throws(ClientError) in
            try await client.put(
                EtcdPutRequest(Bytes("marker".utf8), [], wantsPrevious: false))
        }
        let revision = marker.header.revision
        var hashes: [UInt32] = []
        for member in cluster.members {
            let hash = try await with(member) { client throws(ClientError) in
                // The read waits until this member has executed the marker.
                _ = try await client.range(
                    EtcdRangeRequest(KeyRange(key: Bytes("marker".utf8)), isSerializable: false))
                return try await client.hashKV(endpoint: member.endpoint, revision: revision).hash
            }
            hashes.append(hash)
        }
        guard Set(hashes).count > 1 else { return [] }
        let list = zip(cluster.members, hashes)
            .map { "\($0.name) \(String($1, radix: 16))" }.joined(separator: ", ")
        return ["The hashes at revision \(revision) differ: \(list)."]
    }

    private func with<Result: Sendable>(
        _ member: ChaosMember, _ body: (SynodClient) async throws(ClientError) -> Result
    ) async throws(ClientError) -> Result {
        var configuration = ClientConfiguration()
        configuration.callTimeout = Self.patience
        let client = try SynodClient(endpoints: [member.endpoint], configuration: configuration)
        do throws(ClientError) {
            let result = try await body(client)
            await client.close()
            return result
        } catch {
            await client.close()
            throw error
        }
    }
}
