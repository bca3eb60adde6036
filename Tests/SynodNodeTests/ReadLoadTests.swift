import SynodNode
import SynodPaxos
import Testing

/// More reads than a replica can ask the others for.
@Suite struct ReadLoadTests {
    @Test
    func `reads of long keys without a majority are refused or end, and later ones are answered`()
        throws
    {
        let cluster = try NodeCluster(3)
        let replicas = cluster.membership.replicas
        try cluster.run(.milliseconds(500))
        let put = try cluster.put("a", "kept", at: replicas[0])
        try cluster.run(.milliseconds(20))
        #expect(cluster.isAcknowledged(put))
        for replica in replicas.dropFirst() { cluster.crash(replica) }
        let long = String(repeating: "k", count: 1 << 20)
        let reads = try (0..<70).map { _ in try cluster.get(long, at: replicas[0]) }
        let refused = reads.filter { cluster.isFailed($0, with: .tooManyRequests) }
        #expect(refused.count == 6)
        try cluster.run(.milliseconds(7100))
        #expect(reads.count { cluster.isFailed($0, with: .timedOut) } == 64)
        for replica in replicas.dropFirst() { try cluster.start(replica) }
        try cluster.run(.milliseconds(1500))
        let get = try cluster.get("a", at: replicas[0])
        try cluster.run(.milliseconds(20))
        #expect(cluster.answer(get, contains: "kept"))
    }
}

extension NodeCluster {
    fileprivate func isFailed(_ call: UInt64, with failure: RequestFailure) -> Bool {
        if case .failure(failure)? = answers[call] { true } else { false }
    }
}
