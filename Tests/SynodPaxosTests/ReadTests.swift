import SynodBytes
import SynodPaxos
import Testing

/// Linearizable reads without the leader and without clocks, and the known ways to get them wrong.
struct ReadTests {
    private let first = Slot(1)

    /// One put, as it were, of each of the keys.
    private func entry(_ keys: String) -> Entry {
        let commands = keys.utf8.enumerated().map { index, key in
            Command(
                id: CommandID(origin: ReplicaID(2), sequence: UInt64(index)),
                footprint: .key(Footprint.Piece(offset: 0, count: 1)), payload: [key])
        }
        return Entry(commands)
    }

    /// A read waits for what a majority may know to be chosen, and is released once that is
    /// executed here.
    @Test func aReadWaitsForItsBound() {
        var lone = LoneReplica()
        lone.step([.read(1, .key([1])), .read(2, .everything)])
        guard case .readQuery(let round, _)? = lone.messages.first else {
            Issue.record("no question")
            return
        }
        #expect(lone.messages.count == 1, "reads share a round")
        lone.hear(.readReply(round: round, chosenThrough: first, conflicts: []), from: 2)
        #expect(lone.outbox.readable.isEmpty)
        let leader = Ballot(1, of: 3)
        lone.hear(.accept(ballot: leader, slot: first, entry: .noop), from: 3)
        lone.hear(.heartbeat(leader, chosenThrough: 1), from: 3)
        #expect(lone.outbox.readable.map(\.id) == [ReadID(1), ReadID(2)])
    }

    /// An answer to an earlier question says nothing about a later read, not even over a restart.
    @Test func anAnswerToAnOldQuestionDoesNotCount() {
        var lone = LoneReplica()
        lone.step([.read(1, .everything)])
        guard case .readQuery(let round, _)? = lone.messages.first else { return }
        lone.hear(.readReply(round: round, chosenThrough: .zero, conflicts: []), from: 2)
        #expect(lone.outbox.readable.map(\.id) == [ReadID(1)])
        lone.step([.read(2, .everything)])
        lone.hear(.readReply(round: round, chosenThrough: .zero, conflicts: []), from: 3)
        #expect(lone.outbox.readable.isEmpty)

        var restarted = LoneReplica(boot: 2)
        restarted.step([.read(1, .everything)])
        restarted.hear(.readReply(round: round, chosenThrough: .zero, conflicts: []), from: 3)
        #expect(restarted.outbox.readable.isEmpty)
    }

    /// Reads of long keys share as many rounds as it takes for each question to fit a message; a read
    /// that is longer than that has a round of its own.
    @Test func aRoundAsksForAsMuchAsFits() {
        var lone = LoneReplica()
        let long = KeySpan([UInt8](repeating: 1, count: 100_000)[...])
        let scopes: [ReadScope] = (0..<40).map { number in
            number == 20 ? .spans(Array(repeating: long, count: 13)) : .spans([long])
        }
        lone.step(scopes.enumerated().map { .read(UInt64($0.offset), $0.element) })
        var released: [ReadID] = []
        var rounds = 0
        while case .readQuery(let round, let scopes)? = lone.messages.first {
            rounds += 1
            #expect(scopes.encoded.count < Limits.burstBytes || scopes.count == 1)
            lone.hear(.readReply(round: round, chosenThrough: .zero, conflicts: []), from: 2)
            released += lone.outbox.readable.map(\.id)
        }
        #expect(released == (0..<40).map { ReadID($0) })
        #expect(rounds == 5)
    }

    /// A question that is not answered is repeated after another while each time: at a fixed pace it could
    /// always come when the other's inbox is full.
    @Test func aRepeatedQuestionKeepsStepWithNothing() {
        var lone = LoneReplica()
        lone.step([.read(1, .everything)])
        var asked = [lone.now]
        while asked.count < 12 {
            lone.pass(.milliseconds(1))
            if lone.messages.contains(where: { if case .readQuery = $0 { true } else { false } }) {
                asked.append(lone.now)
            }
        }
        let waits = zip(asked, asked.dropFirst()).map { $1.since($0) }
        let retransmission = LoneReplica.timing.retransmission
        #expect(waits.allSatisfy { $0 >= retransmission && $0 <= retransmission * 2 })
        #expect(Set(waits).count > 6)
    }

    /// Reads whose clients have given up make room for others, be they queued or known to wait.
    @Test func readsThatAreGivenUpMakeRoom() {
        var lone = LoneReplica()
        let deadline = lone.now + .milliseconds(5_000)
        lone.step([.read(0, .everything, deadline: deadline)])
        guard case .readQuery(let round, _)? = lone.messages.first else { return }
        lone.hear(.readReply(round: round, chosenThrough: first, conflicts: []), from: 2)
        let long = ReadScope.key([UInt8](repeating: 1, count: 1 << 20)[...])
        var count: UInt64 = 0
        while lone.replica.hasRoomForReads {
            count += 1
            lone.step([.read(count, long, deadline: deadline)])
        }
        #expect(count == 64)
        lone.pass(.milliseconds(4_999))
        #expect(!lone.replica.hasRoomForReads)
        lone.pass(.milliseconds(1))
        #expect(lone.replica.hasRoomForReads)
        // Of those that had not been asked for nothing is heard any more.
        lone.hear(.accept(ballot: Ballot(1, of: 3), slot: first, entry: .noop), from: 3)
        lone.hear(.heartbeat(Ballot(1, of: 3), chosenThrough: 1), from: 3)
        #expect(lone.outbox.readable.isEmpty)
    }

    /// An acceptor answers with what it accepted, but for entries of older ballots above the point
    /// to which its leader recovered: nobody will ever choose those.
    @Test func deadEntriesDoNotHoldReadsUp() {
        var lone = LoneReplica()
        let old = Ballot(1, of: 2)
        for slot in 1...5 as ClosedRange<UInt64> {
            lone.hear(.accept(ballot: old, slot: Slot(slot), entry: entry("a")), from: 2)
        }
        func bound() -> Slot? {
            lone.hear(.readQuery(round: 1, scopes: ReadScopes([.everything])), from: 3)
            guard case .readReply(_, _, let conflicts)? = lone.messages.first else { return nil }
            return conflicts.first?.slot
        }
        #expect(bound() == Slot(5))
        lone.hear(.heartbeat(Ballot(2, of: 3), recoveredThrough: 3), from: 3)
        #expect(bound() == Slot(3))
        lone.hear(.accept(ballot: Ballot(2, of: 3), slot: Slot(4), entry: entry("b")), from: 3)
        #expect(bound() == Slot(4))
    }

    /// A read waits for what an acceptor has accepted of its keys, and for nothing else that may be
    /// under way.
    @Test func aReadWaitsForItsKeysOnly() {
        var lone = LoneReplica()
        let leader = Ballot(1, of: 3)
        lone.hear(.accept(ballot: leader, slot: first, entry: entry("ab")), from: 3)
        lone.hear(.accept(ballot: leader, slot: Slot(2), entry: entry("bc")), from: 3)
        func conflicts(_ scopes: [ReadScope]) -> [Slot?] {
            lone.hear(.readQuery(round: 1, scopes: ReadScopes(scopes)), from: 2)
            guard case .readReply(_, _, let conflicts)? = lone.messages.first else { return [] }
            return scopes.indices.map { read in conflicts.first { $0.read == read }?.slot }
        }
        func key(_ name: Character) -> ArraySlice<UInt8> { [name.asciiValue!] }
        #expect(
            conflicts([.key(key("a")), .key(key("b")), .key(key("c")), .key(key("d"))])
                == [first, Slot(2), Slot(2), nil])
        #expect(
            conflicts([
                .spans([KeySpan(key("a"), .below(key("b")))]), .spans([KeySpan(key("c"), .open)]),
                .spans([KeySpan(key("d"), .open)]), .spans([KeySpan(key("d")), KeySpan(key("a"))]),
                .everything,
            ]) == [first, Slot(2), nil, first, Slot(2)])

        // The reader itself is such an acceptor.
        lone.step([
            .read(1, .key(key("d"))), .read(2, .key(key("a"))),
        ])
        guard case .readQuery(let round, _)? = lone.messages.first else { return }
        lone.hear(.readReply(round: round, chosenThrough: .zero, conflicts: []), from: 2)
        #expect(lone.outbox.readable.map(\.id) == [ReadID(1)])
        lone.hear(.heartbeat(leader, chosenThrough: 1), from: 3)
        #expect(lone.outbox.readable.map(\.id) == [ReadID(2)])
    }

    /// Slot 2 may be executed by key and answered before slot 1 is decided. Whoever reads then must not
    /// miss what slot 1 writes, and acceptors that have slot 2 only know of it by its stamp.
    @Test func aReadWaitsForWhatIsMissingBelowAnEntryThatIsThere() {
        let leader = Ballot(1, of: 3)
        func conflicts(
            _ pending: PendingSlots, with lower: (Ballot, Entry)? = nil, _ scopes: [ReadScope]
        ) -> [ReadConflict] {
            var lone = LoneReplica()
            if let (ballot, entry) = lower {
                lone.hear(.accept(ballot: ballot, slot: first, entry: entry), from: 3)
            }
            let id = CommandID(origin: ReplicaID(3), sequence: 1)
            let payload: Bytes = [UInt8(ascii: "b")]
            let command = Command(
                id: id, footprint: Footprint([KeySpan(payload[...])]), payload: payload)
            let stamp = Stamp(reach: 2, revision: 1, uncertain: 0, waits: [], pending: pending)
            lone.hear(
                .accept(ballot: leader, slot: Slot(2), entry: Entry([command], stamp: stamp)),
                from: 3)
            lone.hear(.readQuery(round: 1, scopes: ReadScopes(scopes)), from: 2)
            guard case .readReply(_, _, let conflicts)? = lone.messages.first else { return [] }
            return conflicts
        }
        let (a, b, c): (Bytes, Bytes, Bytes) = ([97], [98], [99])
        let outline = Outline(isCertain: true, spans: [KeySpan(a[...])])
        let known = PendingSlots([(1, TouchedKeys([outline]))])
        let reads: [ReadScope] = [.key(a[...]), .key(b[...]), .key(c[...]), .everything]
        let waits = [
            ReadConflict(read: 0, slot: first), ReadConflict(read: 1, slot: Slot(2)),
            ReadConflict(read: 3, slot: Slot(2)),
        ]
        #expect(conflicts(known, reads) == waits)
        #expect(conflicts(known, with: (leader, entry("d")), reads) == Array(waits.dropFirst()))
        // A no-op that few have decides nothing: who does not see it may find the entry elsewhere.
        for ballot in [leader, leader.abandoning] {
            #expect(conflicts(known, with: (ballot, .noop), reads) == waits)
        }
        // Too many keys to tell, and bytes that say nothing: any key may be meant.
        let many = (0..<Limits.touchedBytes).map { _ in outline }
        for vague in [PendingSlots([(1, TouchedKeys(many))]), PendingSlots(encoded: [1, 0xff])] {
            #expect(
                conflicts(vague, [.key(c[...])]) == [
                    ReadConflict(read: 0, slot: first, isVague: true)
                ])
        }
    }

    /// What may touch any key is waited for as a whole, whatever is known of the read's own.
    @Test func aVagueConflictIsWaitedForAsAWhole() {
        var lone = LoneReplica()
        let leader = Ballot(1, of: 3)
        lone.hear(.accept(ballot: leader, slot: first, entry: entry("a")), from: 3)
        lone.step([.read(1, .key([UInt8(ascii: "d")]))])
        guard case .readQuery(let round, _)? = lone.messages.first else {
            Issue.record("no question")
            return
        }
        let conflict = ReadConflict(read: 0, slot: first, isVague: true)
        lone.hear(.readReply(round: round, chosenThrough: .zero, conflicts: [conflict]), from: 2)
        #expect(lone.outbox.readable.isEmpty)
        lone.hear(.heartbeat(leader, chosenThrough: 1), from: 3)
        #expect(lone.outbox.readable.map(\.id) == [ReadID(1)])
    }

    /// A replica that stood still while another came to lead does not answer from its old state.
    @Test func noReadSpansAPauseUnnoticed() throws {
        for seed in 1...10 as ClosedRange<UInt64> {
            var options = Cluster.Options()
            options.seed = seed
            let cluster = Cluster(options)
            #expect(cluster.run(atMost: .milliseconds(10_000)) { $0.isSettled })
            let leader = try #require(cluster.leader)
            cluster.read(at: leader)
            cluster.pause(leader)
            cluster.run(for: .milliseconds(3_000))
            let other = (leader + 1) % 3
            cluster.submit([UInt8(ascii: "n")], at: other, within: .milliseconds(1 << 30))
            cluster.run(for: .milliseconds(1_000))
            #expect(cluster.hosts[other].waiting.isEmpty, "seed \(seed)")
            cluster.read(at: leader)
            cluster.resume(leader)
            #expect(cluster.run(atMost: .milliseconds(5_000)) { $0.isSettled })
            #expect(cluster.checker.failure == nil)
        }
    }
}
