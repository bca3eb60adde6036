import EtcdWire
import Foundation
import SynodClient
import Testing

/// What Prometheus and a load balancer see of real processes.
@Suite(.enabled(if: Programs.curl != nil, "curl is not installed"))
struct MetricsTests {
    @Test(.enabled(if: !Programs.isServerEtcd)) func theCountersOfThreeMembersMove() async throws {
        try await Cluster.run(size: 3) { cluster in
            let leader = try await cluster.leader()
            let follower = cluster.others(than: leader)[0]
            let before = try await Scrape(follower)
            let granted = try await Scrape(leader)["synod_proposer_slots_granted_total"]
            // Small commands are forwarded; after large ones it is cheaper to propose them here.
            let large = String(repeating: "v", count: 16_384)
            let revision = try await withClient(follower) { client in
                for number in 0..<20 { _ = try await client.put(.pair("k\(number)", "v")) }
                for _ in 0..<20 { _ = try await client.put(.pair("large", large)) }
                return try await client.range(.key("k0")).header.revision
            }
            for replica in cluster.replicas {
                try await replica.waitUntilApplied(revision)
                let now = try await Scrape(replica)
                #expect(now["etcd_debugging_mvcc_current_revision"] == Double(revision))
                #expect(now["etcd_debugging_mvcc_keys_total"] == 21)
                #expect(now["etcd_server_has_leader"] == 1)
                #expect(now["etcd_server_is_leader"] == (replica === leader ? 1 : 0))
                #expect((now["synod_proposer_active"] != nil) == (replica === leader))
                #expect(now.samples["etcd_network_peer_sent_bytes_total"]?.count == 2)
                #expect(try await health(replica) == #"{"health":"true","reason":""} 200"#)
            }
            let after = try await Scrape(follower)
            for name in [
                "synod_proposer_batches_forwarded_total", "synod_proposer_entries_proposed_total",
                "etcd_server_proposals_applied_total", "process_cpu_seconds_total",
            ] {
                let (old, new) = try (#require(before[name]), #require(after[name]))
                #expect(new > old, "\(name)")
            }
            #expect(
                try await Scrape(leader)["synod_proposer_slots_granted_total"] ?? 0 > granted ?? 0)
        }
    }

    @Test(.enabled(if: !Programs.isServerEtcd)) func aMemberLeftAloneIsNotHealthy() async throws {
        try await Cluster.run(size: 3) { cluster in
            let last = cluster.replicas[2]
            for replica in cluster.others(than: last) { replica.kill() }
            try await eventually("the last member knows that it has no leader") {
                try await health(last) == #"{"health":"false","reason":"RAFT NO LEADER"} 503"#
                    ? true : nil
            }
            #expect(try await Scrape(last)["etcd_server_has_leader"] == 0)
        }
    }

    /// The names shared with etcd have its kinds and its labels.
    @Test(.enabled(if: Programs.etcd != nil, "no etcd is installed to compare with"))
    func sharedNamesMeanWhatEtcdMeans() async throws {
        guard let etcd = Programs.etcd else { return }
        try await Cluster.run(size: 3, server: [etcd]) { reference in
            try await Cluster.run(size: 3) { tested in
                // The two have talked to all their peers once both have written.
                for cluster in [reference, tested] {
                    try await withClient(cluster.replicas[0]) { try await $0.put(.pair("k", "v")) }
                }
                let expected = try await Scrape(reference.replicas[0])
                let actual = try await Scrape(tested.replicas[0])
                let shared = Set(expected.kinds.keys).intersection(actual.kinds.keys)
                #expect(shared.count >= 20, "\(shared.sorted())")
                for name in shared {
                    #expect(actual.kinds[name] == expected.kinds[name], "\(name)")
                    #expect(actual.labels(of: name) == expected.labels(of: name), "\(name)")
                }
            }
        }
    }

    /// The answer to GET /health and its status.
    private func health(_ replica: Replica) async throws -> String {
        try await Command.run([
            Programs.curl ?? "", "--silent", "--show-error", "--write-out", " %{http_code}",
            replica.metricsURL + "/health",
        ]).output
    }
}

/// What a member exports, read as Prometheus reads it.
private struct Scrape {
    /// By name, whether a counter, a gauge or something else.
    private(set) var kinds: [String: Substring] = [:]
    /// By name, the texts between the braces and the values.
    private(set) var samples: [String: [(labels: Substring, value: Double)]] = [:]

    init(_ replica: Replica) async throws {
        let result = try await Command.run([
            Programs.curl ?? "", "--silent", "--show-error", "--fail",
            replica.metricsURL + "/metrics",
        ])
        guard result.status == 0 else { throw TestFailure(result.output) }
        for line in result.output.split(separator: "\n") {
            if line.hasPrefix("# HELP ") { continue }
            if let kind = line.wholeMatch(of: /# TYPE (\w+) (\w+)/)?.output {
                kinds[String(kind.1)] = kind.2
            } else if let sample = line.wholeMatch(of: /(\w+)(?:\{(.*)\})? (\S+)/)?.output,
                let value = Double(sample.3.replacing("Inf", with: "inf"))
            {
                samples[String(sample.1), default: []].append((sample.2 ?? "", value))
            } else {
                throw TestFailure("This is no line of Prometheus': \(line)")
            }
        }
    }

    /// The value of a metric without labels.
    subscript(name: String) -> Double? { samples[name]?.first?.value }

    /// The names of the labels of a metric's samples.
    func labels(of name: String) -> Set<[Substring]> {
        Set(
            (samples[name] ?? []).map { sample in
                sample.labels.matches(of: /(\w+)="[^"]*"/).map(\.output.1)
            })
    }
}
