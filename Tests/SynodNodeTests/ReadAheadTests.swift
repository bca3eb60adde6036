import SynodNode
import SynodPaxos
import Testing

/// Reads of ranges while a slot lies whose proposer is cut off.
@Suite struct ReadAheadTests {
    /// Three replicas that all propose. One is cut off as soon as it is granted a slot for `key`;
    /// another has written b1 behind that slot since. That one is returned, and the number of the write.
    private func clusterWithADeadSlot(
        for key: String
    ) throws -> (cluster: NodeCluster, reader: ReplicaID, put: UInt64) {
        let cluster = try NodeCluster(3, proposers: .everyone)
        try cluster.run(.milliseconds(500))
        let leader = ReplicaID(try cluster.status(of: NodeCluster.id(1)).leader)
        let others = cluster.membership.replicas.filter { $0 != leader }
        let (dead, reader) = (others[0], others[1])
        for (key, replica) in [("b0", leader), ("c0", reader)] {
            _ = try cluster.put(key, "before", at: replica)
        }
        try cluster.run(.milliseconds(100))
        cluster.overhear = { [unowned cluster] messages, _, receiver in
            let isGranted = messages.contains {
                if case .grant? = try? Message(encoded: $0) { true } else { false }
            }
            guard receiver == dead, isGranted else { return }
            for peer in [leader, reader] { cluster.cut.insert([dead, peer]) }
        }
        _ = try cluster.put(key, "lost", at: dead)
        try cluster.run(.milliseconds(1))
        #expect(!cluster.cut.isEmpty, "a slot was granted")
        let put = try cluster.put("b1", "behind", at: reader)
        try cluster.run(.milliseconds(20))
        return (cluster, reader, put)
    }

    @Test func `a slot that lies holds up no range that it does not touch`() throws {
        let (cluster, reader, put) = try clusterWithADeadSlot(for: "a")
        #expect(cluster.isAcknowledged(put))
        let list = try cluster.list("b", "c", at: reader)
        try cluster.run(.milliseconds(20))
        #expect(cluster.answer(list, contains: "before"))
        #expect(cluster.answer(list, contains: "behind"))
    }

    @Test func `a slot that lies holds up ranges that it may touch`() throws {
        let (cluster, reader, put) = try clusterWithADeadSlot(for: "b2")
        #expect(cluster.isAcknowledged(put))
        let list = try cluster.list("b", "c", at: reader)
        try cluster.run(.milliseconds(20))
        #expect(!cluster.isAcknowledged(list))
        // The leader abandons it meanwhile.
        try cluster.run(.milliseconds(400))
        #expect(cluster.answer(list, contains: "behind"))
        #expect(!cluster.answer(list, contains: "lost"))
    }
}
