import Foundation
import Testing

/// What a person with an unmodified etcdctl sees.
@Suite(.enabled(if: Programs.etcdctl != nil, "etcdctl is not installed"))
struct EtcdctlTests {
    @Test func anUnmodifiedEtcdctlWorks() async throws {
        try await Cluster.run(size: 3) { cluster in
            let etcdctl = Etcdctl(endpoints: cluster.endpoints)
            try await keys(etcdctl)
            try await transactions(etcdctl)
            try await compaction(etcdctl)
            try await endpoints(etcdctl, of: cluster)
        }
    }

    private func keys(_ etcdctl: Etcdctl) async throws {
        #expect(try await etcdctl.run("put", "a", "1").output == "OK\n")
        #expect(try await etcdctl.run("put", "b", "2").output == "OK\n")
        #expect(try await etcdctl.run("get", "a").lines == ["a", "1"])
        #expect(try await etcdctl.run("get", "a", "--consistency=s").status == 0)
        #expect(try await etcdctl.run("get", "", "--prefix").lines == ["a", "1", "b", "2"])
        #expect(
            try await etcdctl.run("get", "a", "c", "--order=DESCEND", "--limit=1", "--keys-only")
                .lines == ["b"])
        #expect(try await etcdctl.run("put", "a", "3", "--prev-kv").lines == ["OK", "a", "1"])
        #expect(try await etcdctl.run("get", "a", "--rev=2", "--print-value-only").lines == ["1"])
        #expect(try await etcdctl.run("del", "b", "--prev-kv").lines == ["1", "b", "2"])
        #expect(try await etcdctl.run("del", "b").lines == ["0"])

        let empty = try await etcdctl.run("put", "", "x")
        #expect(empty.status != 0)
        #expect(empty.output.contains("etcdserver: key is not provided"))
        let future = try await etcdctl.run("get", "a", "--rev=1000000")
        #expect(future.output.contains("etcdserver: mvcc: required revision is a future revision"))
    }

    private func transactions(_ etcdctl: Etcdctl) async throws {
        let success = try await etcdctl.run(
            "txn", input: "value(\"a\") = \"3\"\nmod(\"b\") = \"0\"\n\nput b 4\nget b\n\nget a\n\n")
        #expect(success.lines == ["SUCCESS", "OK", "b", "4"])
        let failure = try await etcdctl.run(
            "txn", input: "create(\"b\") = \"0\"\n\nput b 5\n\nget b\ndel a\n\n")
        #expect(failure.lines == ["FAILURE", "b", "4", "1"])
    }

    private func compaction(_ etcdctl: Etcdctl) async throws {
        #expect(try await etcdctl.run("compaction", "3").output == "compacted revision 3\n")
        let compacted = try await etcdctl.run("get", "b", "--rev=2")
        #expect(compacted.status != 0)
        #expect(
            compacted.output.contains("etcdserver: mvcc: required revision has been compacted"))
    }

    private func endpoints(_ etcdctl: Etcdctl, of cluster: Cluster) async throws {
        let health = try await etcdctl.run("endpoint", "health")
        #expect(health.status == 0)
        #expect(health.lines.filter { $0.contains("is healthy") }.count == 3)

        let status = try await etcdctl.run("endpoint", "status")
        #expect(status.lines.count == 3)
        #expect(status.lines.filter { $0.contains(", true, ") }.count == 1, "one leads")

        let hashes = try await etcdctl.run("endpoint", "hashkv").lines.map {
            $0.split(separator: ",").last.map(String.init)
        }
        #expect(hashes.count == 3)
        #expect(Set(hashes).count == 1)

        let members = try await etcdctl.run("member", "list").lines
        #expect(members.count == 3)
        for replica in cluster.replicas {
            #expect(
                members.contains {
                    $0.contains(
                        "started, \(replica.name), \(replica.peerURL), http://"
                            + replica.endpoint)
                })
        }
    }
}
