import SynodBytes
import SynodNode
import SynodPaxos
import SynodStorage
import Testing

private let one = NodeCluster.id(1)
private let two = NodeCluster.id(2)
private let three = NodeCluster.id(3)

@Suite struct NodeTests {
    @Test(arguments: [1, 3, 4])
    func `a write at any replica is acknowledged and read at every other`(count: Int) throws {
        let cluster = try NodeCluster(count)
        try cluster.run(.milliseconds(500))
        for replica in cluster.membership.replicas {
            let put = try cluster.put(
                "k\(replica.rawValue)", "value-\(replica.rawValue)", at: replica)
            try cluster.run(.milliseconds(50))
            #expect(cluster.isAcknowledged(put))
            for reader in cluster.membership.replicas {
                let get = try cluster.get("k\(replica.rawValue)", at: reader)
                try cluster.run(.milliseconds(20))
                #expect(cluster.answer(get, contains: "value-\(replica.rawValue)"))
            }
        }
    }

    @Test func `a majority without its leader elects another and goes on`() throws {
        let cluster = try NodeCluster(3)
        try cluster.run(.milliseconds(500))
        let leader = ReplicaID(try cluster.status(of: one).leader)
        let survivor = cluster.membership.replicas.first { $0 != leader }!
        let before = try cluster.put("a", "before", at: survivor)
        try cluster.run(.milliseconds(20))
        #expect(cluster.isAcknowledged(before))
        cluster.crash(leader)
        let during = try cluster.put("b", "during", at: survivor)
        try cluster.run(.milliseconds(300))
        #expect(cluster.isAcknowledged(during))
        let get = try cluster.get("a", at: survivor)
        try cluster.run(.milliseconds(20))
        #expect(cluster.answer(get, contains: "before"))
    }

    @Test func `nothing is acknowledged without a majority, and the client is told in time`() throws
    {
        let cluster = try NodeCluster(3)
        try cluster.run(.milliseconds(500))
        cluster.crash(two)
        cluster.crash(three)
        let put = try cluster.put("a", "lost", at: one)
        try cluster.run(.milliseconds(6900))
        #expect(cluster.answers[put] == nil)
        try cluster.run(.milliseconds(300))
        guard case .failure(let failure)? = cluster.answers[put] else {
            Issue.record("the put was not refused")
            return
        }
        #expect(failure == .timedOut)
    }

    @Test func `all replicas lose power at once and nothing acknowledged is lost`() throws {
        let cluster = try NodeCluster(3)
        try cluster.run(.milliseconds(500))
        var puts: [(key: String, call: UInt64)] = []
        for number in 0..<200 {
            let replica = cluster.membership.replicas[number % 3]
            puts.append(("k\(number)", try cluster.put("k\(number)", "v\(number)", at: replica)))
        }
        try cluster.run(.milliseconds(100))
        for replica in cluster.membership.replicas { cluster.crash(replica) }
        for replica in cluster.membership.replicas { try cluster.start(replica) }
        try cluster.run(.milliseconds(1000))
        for (number, put) in puts.enumerated() {
            #expect(cluster.isAcknowledged(put.call))
            let get = try cluster.get(put.key, at: two)
            try cluster.run(.milliseconds(5))
            #expect(cluster.answer(get, contains: "v\(number)"))
        }
    }

    @Test func `a replica that was away for long catches up with a snapshot`() throws {
        let cluster = try NodeCluster(3, snapshotCount: 10)
        try cluster.run(.milliseconds(500))
        cluster.crash(three)
        for number in 0..<100 {
            let put = try cluster.put("k\(number)", "v\(number)", at: one)
            try cluster.run(.milliseconds(10))
            #expect(cluster.isAcknowledged(put) || number < 40)
        }
        try cluster.start(three)
        try cluster.run(.milliseconds(2000))
        #expect(
            try cluster.status(of: three).appliedThrough == cluster.status(of: one).appliedThrough)
        let get = try cluster.get("k7", at: three, linearizable: false)
        #expect(cluster.answer(get, contains: "v7"))
        #expect(cluster.hosts[three]!.states.count > 1, "a snapshot was installed")

        // What was installed is what a restart finds.
        cluster.crash(three)
        try cluster.start(three)
        try cluster.run(.milliseconds(1000))
        let again = try cluster.get("k7", at: three, linearizable: false)
        #expect(cluster.answer(again, contains: "v7"))
    }

    /// A long link would carry one part in each round trip.
    @Test func `several parts of a state are on their way at a time`() throws {
        let cluster = try NodeCluster(3, snapshotCount: 10, chunkBytes: 256)
        try cluster.run(.milliseconds(500))
        cluster.crash(three)
        for number in 0..<100 {
            _ = try cluster.put("k\(number)", "v\(number)", at: one)
            try cluster.run(.milliseconds(10))
        }
        var together = 0
        cluster.overhear = { messages, _, to in
            let parts = messages.count { $0.first == Message.firstForeignTag + 1 }
            if to == three { together = max(together, parts) }
        }
        try cluster.start(three)
        try cluster.run(.milliseconds(1000))
        #expect(together == NodeLimits.chunksInFlight)
        let read = try cluster.get("k7", at: three, linearizable: false)
        #expect(cluster.answer(read, contains: "v7"))
    }

    /// Copies of a part that came long ago say nothing of whether the next one will.
    @Test func `a state that stops arriving is fetched from another replica`() throws {
        let cluster = try NodeCluster(3, snapshotCount: 10, chunkBytes: 256)
        try cluster.run(.milliseconds(500))
        cluster.crash(three)
        for number in 0..<100 {
            _ = try cluster.put("k\(number)", "v\(number)", at: one)
            try cluster.run(.milliseconds(10))
        }
        var first: (part: Bytes, sender: ReplicaID)?
        cluster.overhear = { [unowned cluster] messages, from, to in
            let part = messages.first { $0.first == Message.firstForeignTag + 1 }
            guard let part, to == three, first == nil else { return }
            first = (part, from)
            // It sends nothing else than what it has sent.
            cluster.cut.insert([from, to])
            cluster.cut.insert([to, from])
        }
        try cluster.start(three)
        for _ in 0..<60 {
            try cluster.run(.milliseconds(500))
            if let first { try cluster.deliver(first.part, from: first.sender, to: three) }
        }
        #expect(first != nil)
        #expect(
            try cluster.status(of: three).appliedThrough == cluster.status(of: one).appliedThrough)
    }

    /// Its log was cut below what its state held, and remembers its votes. It serves nobody before it
    /// has a peer's state, and then everything.
    @Test func `a replica that lost its state fetches a peer's and votes meanwhile`() throws {
        let cluster = try NodeCluster(3, snapshotCount: 50)
        try cluster.run(.milliseconds(500))
        for number in 0..<300 {
            _ = try cluster.put("k\(number)", "v\(number)", at: one)
            try cluster.run(.milliseconds(10))
        }
        cluster.crash(three)
        cluster.loseState(of: three)
        try cluster.start(three)
        #expect(try cluster.status(of: three).errors.contains { $0.contains("lost its state") })
        let early = try cluster.get("k7", at: three, linearizable: false)
        #expect(!cluster.isAcknowledged(early))
        try cluster.run(.milliseconds(2000))
        let late = try cluster.get("k7", at: three)
        let put = try cluster.put("after", "v", at: three)
        try cluster.run(.milliseconds(500))
        #expect(cluster.answer(late, contains: "v7"))
        #expect(cluster.isAcknowledged(put))
        #expect(try cluster.status(of: three).errors.isEmpty)
    }

    /// What its log no longer has is nowhere else.
    @Test func `a lone replica that lost its state does not start`() throws {
        let cluster = try NodeCluster(1, snapshotCount: 50)
        try cluster.run(.milliseconds(500))
        for number in 0..<200 {
            _ = try cluster.put("k\(number)", "v", at: one)
            try cluster.run(.milliseconds(10))
        }
        cluster.crash(one)
        cluster.loseState(of: one)
        #expect(throws: StorageError.self) { try cluster.start(one) }
    }

    @Test func `a replica that was away for a moment catches up from the log`() throws {
        let cluster = try NodeCluster(3)
        try cluster.run(.milliseconds(500))
        cluster.crash(three)
        for number in 0..<50 {
            _ = try cluster.put("k\(number)", "v\(number)", at: one)
            try cluster.run(.milliseconds(20))
        }
        try cluster.start(three)
        try cluster.run(.milliseconds(1000))
        let get = try cluster.get("k49", at: three, linearizable: false)
        #expect(cluster.answer(get, contains: "v49"))
        #expect(cluster.hosts[three]!.states.count == 1, "no snapshot was needed")
    }

    /// Simulator seed 5008603: what it had accepted in an abandoned slot was served in the step that learned
    /// of the no-op.
    @Test func `what a step learns by fetching is not served from the log before it is there`()
        throws
    {
        let cluster = try NodeCluster(3)
        let (leader, others, slot, noop) = try abandonSlot(of: cluster)
        var served: [Entry] = []
        cluster.overhear = { messages, from, _ in
            for message in messages where from == others[0] {
                guard case .fetched(_, let entries, _)? = try? Message(encoded: message) else {
                    continue
                }
                served += entries.map(\.entry)
            }
        }
        let learned = Message.fetched(from: slot, entries: [noop], chosenThrough: slot)
        try cluster.step(
            others[0],
            [
                .received([learned.encoded], from: leader),
                .received([Message.fetch(from: slot).encoded], from: others[1]),
            ])
        #expect(served.isEmpty)
        // And as soon as it is there the other one is answered, who need not ask again.
        try cluster.run(.milliseconds(10))
        #expect(served == [.noop])
    }

    /// Simulator seed 9403524: the state survived a crash with what a write had brought that never came
    /// to the log, and the log was served as if it held the same.
    @Test func `what the state is ahead of the log by is not served from the log`() throws {
        let cluster = try NodeCluster(3)
        let (leader, others, slot, noop) = try abandonSlot(of: cluster)
        var disk = cluster.copyDisk(of: others[0])
        try cluster.deliver(
            .fetched(from: slot, entries: [noop], chosenThrough: slot), from: leader,
            to: others[0])
        disk.states = cluster.hosts[others[0]]!.states.mapValues {
            $0.crashImage(keepingUnsynced: $0.unsyncedBatchCount)
        }
        cluster.crash(others[0])
        cluster.restoreDisk(of: others[0], from: disk)
        try cluster.start(others[0])
        #expect(try cluster.status(of: others[0]).appliedThrough == slot.rawValue)
        var answers: [Message] = []
        cluster.overhear = { messages, from, _ in
            guard from == others[0] else { return }
            answers += messages.compactMap { try? Message(encoded: $0) }
        }
        try cluster.run(.milliseconds(50))
        try cluster.deliver(.fetch(from: slot), from: others[1], to: others[0])
        #expect(answers.contains(.truncated(firstRetained: slot.next)))
        let servesIt = answers.contains {
            if case .fetched(slot, let entries, _) = $0 { !entries.isEmpty } else { false }
        }
        #expect(!servesIt)
    }

    @Test func `a wiped replica is refused under its old identity`() throws {
        let cluster = try NodeCluster(3)
        try cluster.run(.milliseconds(500))
        cluster.crash(three)
        cluster.wipe(three)
        try cluster.start(three)
        try cluster.run(.milliseconds(500))
        #expect(cluster.refusals.contains { $0.contains("another data directory") })
        #expect(cluster.hosts[three]!.node == nil)
    }

    @Test func `a replica on an older copy of its disk is refused`() throws {
        let cluster = try NodeCluster(3)
        try cluster.run(.milliseconds(500))
        cluster.crash(three)
        let copy = cluster.copyDisk(of: three)
        try cluster.start(three)
        try cluster.run(.milliseconds(500))
        cluster.crash(three)
        cluster.restoreDisk(of: three, from: copy)
        try cluster.start(three)
        try cluster.run(.milliseconds(500))
        #expect(cluster.refusals.contains { $0.contains("older copy") })
        #expect(cluster.hosts[three]!.node == nil)
    }

    @Test func `starting again and again does not heal a disk that was put back`() throws {
        let cluster = try NodeCluster(3)
        try cluster.run(.milliseconds(500))
        cluster.crash(three)
        let copy = cluster.copyDisk(of: three)
        for _ in 0..<3 {
            try cluster.start(three)
            try cluster.run(.milliseconds(300))
            cluster.crash(three)
        }
        cluster.restoreDisk(of: three, from: copy)
        for attempt in 0..<6 {
            try cluster.start(three)
            try cluster.run(.milliseconds(300))
            let isRunning = cluster.hosts[three]!.node != nil
            #expect(!isRunning, "attempt \(attempt): \(cluster.refusals.last ?? "")")
            cluster.crash(three)
        }
    }

    @Test func `a replica that forgot what it acknowledged stops by itself`() throws {
        let cluster = try NodeCluster(3)
        try cluster.run(.milliseconds(500))
        let copy = cluster.copyDisk(of: three)
        for number in 0..<20 {
            _ = try cluster.put("k\(number)", "v", at: one)
            try cluster.run(.milliseconds(20))
        }
        cluster.crash(three)
        cluster.restoreDisk(of: three, from: copy)
        try cluster.start(three)
        try cluster.run(.milliseconds(500))
        #expect(cluster.hosts[three]!.node == nil)
        #expect(cluster.fatal[three]?.contains("older copy") == true)
    }

    /// What a leader would do whose majority has forgotten what it accepted.
    @Test func `a replica asked to change what was chosen stops and says why`() throws {
        let cluster = try NodeCluster(3)
        try cluster.run(.milliseconds(500))
        let put = try cluster.put("a", "v", at: one)
        try cluster.run(.milliseconds(500))
        #expect(cluster.isAcknowledged(put))
        let status = try cluster.status(of: one)
        let leader = ReplicaID(status.leader)
        let other = leader == three ? two : three
        let ballot = Ballot(round: status.round, replica: leader)
        let slot = Slot(status.appliedThrough)
        try cluster.deliver(
            .accept(ballot: ballot, slot: slot, entry: .noop), from: leader, to: other)
        #expect(cluster.fatal[other]?.contains("than the one that was chosen") == true)
    }

    /// It had fetched what a later leader chose, and not promised that leader anything.
    @Test func `a deposed leader's late proposal for a chosen slot harms nobody`() throws {
        let cluster = try NodeCluster(3)
        try cluster.run(.milliseconds(500))
        let (deposed, others, round, slot) = try standing(of: cluster)
        let later = Ballot(round: round + 1, replica: others[1])
        try cluster.deliver(
            .fetched(
                from: slot, entries: [Accepted(ballot: later, entry: .noop)], chosenThrough: slot),
            from: others[1], to: others[0])
        try cluster.run(.milliseconds(10))
        #expect(try cluster.status(of: others[0]).appliedThrough == slot.rawValue)
        let command = Command(
            id: CommandID(origin: deposed, sequence: 1), footprint: .everything, payload: [])
        try cluster.deliver(
            .accept(
                ballot: Ballot(round: round, replica: deposed), slot: slot,
                entry: Entry([command])), from: deposed, to: others[0])
        #expect(cluster.fatal[others[0]] == nil)
    }

    /// The copy is of its present start, so that only its peers can tell, and they start anew too.
    @Test func `what peers acknowledged is known after everybody has started again`() throws {
        let cluster = try NodeCluster(3)
        try cluster.run(.milliseconds(500))
        let copy = cluster.copyDisk(of: three)
        for number in 0..<20 {
            _ = try cluster.put("k\(number)", "v", at: one)
            try cluster.run(.milliseconds(20))
        }
        try cluster.run(.milliseconds(1500))
        for replica in cluster.membership.replicas { cluster.crash(replica) }
        cluster.restoreDisk(of: three, from: copy)
        for replica in cluster.membership.replicas { try cluster.start(replica) }
        try cluster.run(.milliseconds(500))
        #expect(cluster.hosts[three]!.node == nil)
        #expect(cluster.fatal[three]?.contains("older copy") == true)
    }

    @Test func `an asymmetric cut does not stop the others`() throws {
        let cluster = try NodeCluster(3)
        try cluster.run(.milliseconds(500))
        let leader = ReplicaID(try cluster.status(of: one).leader)
        let others = cluster.membership.replicas.filter { $0 != leader }
        // The leader still hears everybody, and nobody hears it.
        for other in others { cluster.cut.insert([leader, other]) }
        let put = try cluster.put("a", "v", at: others[0])
        try cluster.run(.milliseconds(3000))
        #expect(cluster.isAcknowledged(put))
    }

    /// Lets the first of the others accept an entry in a slot that its leader, from which it hears
    /// nothing more, abandons. Returns what the slot comes to, too.
    private func abandonSlot(
        of cluster: NodeCluster
    ) throws -> (leader: ReplicaID, others: [ReplicaID], slot: Slot, noop: Accepted) {
        try cluster.run(.milliseconds(500))
        let (leader, others, round, slot) = try standing(of: cluster)
        let ballot = Ballot(round: round, replica: leader)
        let command = Command(
            id: CommandID(origin: leader, sequence: 1), footprint: .everything, payload: [])
        cluster.cut.insert([others[0], leader])
        try cluster.deliver(
            .accept(ballot: ballot, slot: slot, entry: Entry([command])), from: leader,
            to: others[0])
        try cluster.run(.milliseconds(10))
        return (leader, others, slot, Accepted(ballot: ballot.abandoning, entry: .noop))
    }

    /// Who leads a cluster at rest and in which round, who does not, and the slot that is next.
    private func standing(
        of cluster: NodeCluster
    ) throws -> (leader: ReplicaID, others: [ReplicaID], round: UInt64, next: Slot) {
        let status = try cluster.status(of: one)
        let leader = ReplicaID(status.leader)
        return (
            leader, cluster.membership.replicas.filter { $0 != leader }, status.round,
            Slot(status.appliedThrough).next
        )
    }
}
