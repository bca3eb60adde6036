import SynodBytes
import SynodPaxos
import Testing

/// Links that carry less than what is to be sent: nothing is said twice that is on its way, and no
/// more is under way than gets through in good time.
struct PaceTests {
    private let leader = Ballot(1, of: 2)

    private func command(_ sequence: UInt64, from origin: UInt64 = 1, bytes: Int = 1) -> Command {
        Command(
            id: CommandID(origin: ReplicaID(origin), sequence: sequence), footprint: .everything,
            payload: Bytes(repeating: UInt8(ascii: "c"), count: bytes))
    }

    private func chosen(_ slot: UInt64) -> Message {
        .chosen(Progress(ballot: leader, chosenThrough: Slot(slot), recoveredThrough: .zero))
    }

    private func isFetch(_ message: Message) -> Bool {
        if case .fetch = message { true } else { false }
    }

    /// Entries that are overtaken by the word that they are chosen are waited for as long as they
    /// usually take, and asked for when they do not come.
    @Test func whatIsOnItsWayIsNotAskedFor() {
        var lone = LoneReplica()
        lone.hear(.heartbeat(leader), from: 2)
        for slot in UInt64(1)...20 {
            lone.hear(chosen(slot), from: 2)
            // Of the first one, nothing tells that it is on its way.
            #expect(lone.messages.contains(where: isFetch) == (slot == 1))
            lone.pass(.milliseconds(20))
            #expect(!lone.messages.contains(where: isFetch))
            let entry = Entry([command(slot, from: 3)])
            lone.hear(.accept(ballot: leader, slot: Slot(slot), entry: entry), from: 2)
            #expect(lone.replica.chosenThrough == Slot(slot))
        }
        lone.hear(chosen(21), from: 2)
        lone.pass(.milliseconds(39))
        #expect(!lone.messages.contains(where: isFetch))
        lone.pass(.milliseconds(1))
        #expect(lone.messages == [.fetch(from: Slot(21))])
    }

    /// A question that was answered by what was asked for coming by itself wakes nobody when the next
    /// entry is on its way.
    @Test func nobodyIsWokenForWhatIsOnItsWay() {
        var lone = LoneReplica()
        lone.hear(.heartbeat(leader), from: 2)
        lone.hear(chosen(1), from: 2)
        #expect(lone.messages.contains(where: isFetch))
        lone.pass(.milliseconds(20))
        let entry = Entry([command(1, from: 3)])
        lone.hear(.accept(ballot: leader, slot: Slot(1), entry: entry), from: 2)
        lone.pass(.milliseconds(179))
        lone.hear(chosen(2), from: 2)
        lone.pass(.milliseconds(2))
        #expect(!lone.messages.contains(where: isFetch))
        #expect(lone.outbox.wakeAt > lone.now)
    }

    /// Who is far behind gets one answer after the other, without a wait between them.
    @Test func whoCatchesUpDoesNotWait() {
        var lone = LoneReplica()
        lone.hear(.heartbeat(leader), from: 2)
        for slot in UInt64(1)...2 {
            lone.hear(chosen(slot), from: 2)
            lone.pass(.milliseconds(50))
            let entry = Entry([command(slot, from: 3)])
            lone.hear(.accept(ballot: leader, slot: Slot(slot), entry: entry), from: 2)
        }
        lone.hear(chosen(10), from: 2)
        lone.pass(.milliseconds(100))
        for slot in UInt64(3)...9 {
            #expect(lone.messages == [.fetch(from: Slot(slot))])
            let entry = Accepted(ballot: leader, entry: Entry([command(slot, from: 3)]))
            lone.hear(
                .fetched(from: Slot(slot), entries: [entry], chosenThrough: Slot(10)), from: 2)
        }
    }

    /// What the leader has sent, or been sent, a moment ago is not sent again with what is overdue.
    @Test func whatIsFreshIsNotSentAgain() {
        var lone = LoneReplica()
        let ballot = lone.lead()
        lone.sync()
        let window = UInt64(Limits.window)
        lone.hear(.accepted(ballot: ballot, first: Slot(1), last: Slot(window)), from: 2)
        func accepts() -> Set<Slot> {
            Set(
                lone.outbox.send.compactMap { envelope in
                    guard case .accept(_, let slot, _) = envelope.message else { return nil }
                    return envelope.to == .replica(ReplicaID(3)) ? slot : nil
                })
        }
        lone.hear(.accepted(ballot: ballot, first: Slot(1), last: Slot(window)), from: 3)
        lone.step([.submitted(command(1), deadline: .distantFuture)])
        lone.sync()
        lone.pass(.milliseconds(150))
        lone.hear(.heard(ballot: ballot), from: 2)
        lone.step([.submitted(command(2), deadline: .distantFuture)])
        lone.sync()
        lone.pass(.milliseconds(50))
        #expect(accepts() == [Slot(window + 1)])
        // A new stream: what was said on the old one may be lost.
        lone.step([.connected(ReplicaID(3))])
        #expect(accepts() == [Slot(window + 1), Slot(window + 2)])
    }

    /// A proposer repeats itself less often each time.
    @Test func aProposerRepeatsItselfLessAndLess() {
        var proposer = Proposer()
        var outbox = Outbox()
        var now = Instant(nanoseconds: 0)
        let (retransmission, ballot) = (Interval.milliseconds(100), leader)
        proposer.open(ballot)
        proposer.ask(
            for: [command(1)], boot: 1, now, retransmission: retransmission, &outbox)
        _ = proposer.granted(Slot(1), nil, for: 1, at: ballot, chosenThrough: .zero)
        let granted = proposer.nextGranted()!
        proposer.propose(
            Entry(granted.commands), in: granted, now, retransmission: retransmission, &outbox)
        var repeats: [UInt64] = []
        while repeats.count < 4 {
            now = proposer.repeatAt
            repeats.append(now.nanoseconds / 1_000_000)
            proposer.repeatUnanswered(
                boot: 1, now, retransmission: retransmission, &outbox)
        }
        #expect(repeats == [200, 600, 1400, 3000])
    }

    /// A proposer that many clients wait for proposes as much at a time as is decided in time.
    @Test func whatIsLateMakesForLessInFlight() {
        var lone = LoneReplica(proposers: .everyone)
        lone.hear(.heartbeat(leader), from: 2)
        lone.step(
            (1...1000).map {
                .submitted(command($0, bytes: 16 << 10), deadline: .distantFuture)
            })
        var slot: UInt64 = 0
        /// Bytes of the entry that is proposed next, decided after so long.
        func round(_ span: UInt64) -> Int? {
            var batch: BatchOutline?
            for case .grantRequest(_, _, let batches) in lone.messages { batch = batches.first }
            guard let batch else { return nil }
            slot += 1
            lone.hear(
                .grant(
                    ballot: leader, boot: 1 << 32, batch: batch.number, slot: Slot(slot),
                    stamp: nil), from: 2)
            var bytes: Int?
            for case .accept(_, _, let entry) in lone.messages { bytes = entry.encoded.count }
            let waiting = lone.outbox.send
            lone.pass(.milliseconds(span))
            lone.hear(chosen(slot), from: 2)
            lone.outbox.send += waiting
            return bytes
        }
        // Without anything in front of it, a decision is quick here.
        _ = round(20)
        var slow: [Int] = []
        for _ in 0..<8 { if let bytes = round(200) { slow.append(bytes) } }
        #expect(slow.count == 8)
        #expect(slow.last! <= 128 << 10)
        var quick: [Int] = []
        for _ in 0..<20 { if let bytes = round(20) { quick.append(bytes) } }
        #expect(quick.count == 20)
        #expect(quick.last! > slow.last!)
        #expect(quick.allSatisfy { $0 <= Limits.entryBytes })
    }

    /// Grants stand behind a leader's payloads in its link, so that beside others it has less in flight.
    @Test(arguments: [false, true])
    func whatHoldsUpOthersIsLateSooner(holdsUpOthers: Bool) {
        var pace = Pace()
        var now = Instant(nanoseconds: 1_000_000_000)
        func decide(after span: Interval) {
            let start = now
            now = now + span
            pace.decided(
                bytes: 16 << 10, inFlight: pace.budget, proposedAt: start,
                response: .milliseconds(160), holdsUpOthers: holdsUpOthers, now)
        }
        decide(after: .milliseconds(5))
        for _ in 0..<40 { decide(after: .milliseconds(30)) }
        #expect(holdsUpOthers ? pace.budget == 32 << 10 : pace.budget > Limits.entryBytes)
        for _ in 0..<100 { decide(after: .milliseconds(20)) }
        #expect(pace.budget > 256 << 10)
    }
}
