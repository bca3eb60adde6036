import SynodPaxos
import Testing

/// What was sent toward the leader and is sent again.
struct ForwarderTests {
    private let leader = ReplicaID(3)
    private let now = Instant(nanoseconds: 1)

    /// Commands on keys that wait do not hold up others: what is executed leaves gaps, and what is
    /// behind one is sent again, too.
    @Test func whatIsExecutedLeavesGaps() {
        var forwarder = Forwarder(boot: 1)
        for sequence in 5...10 as ClosedRange<UInt64> {
            forwarder.submitted(command(sequence), deadline: .distantFuture, now)
        }
        forwarder.open(Ballot(1, of: 3), now: now)
        #expect(
            sent { forwarder.forward(now, via: leader, retransmission: $0, &$1) } == [
                Sent(position: 0, sequences: [5, 6, 7, 8, 9, 10])
            ])
        forwarder.applied(6, now)
        forwarder.applied(9, now)
        #expect(
            sent { forwarder.repeatUnexecuted(now, via: leader, retransmission: $0, &$1) } == [
                Sent(position: 0, sequences: [5]), Sent(position: 2, sequences: [7, 8]),
                Sent(position: 5, sequences: [10]),
            ])
        for sequence in [5, 7, 8, 10] as [UInt64] { forwarder.applied(sequence, now) }
        #expect(
            sent { forwarder.repeatUnexecuted(now, via: leader, retransmission: $0, &$1) } == [])
    }

    private struct Sent: Equatable {
        let position: UInt64
        let sequences: [UInt64]
    }

    private func sent(_ send: (Interval, inout Outbox) -> Void) -> [Sent] {
        var outbox = Outbox()
        send(.milliseconds(200), &outbox)
        return outbox.send.compactMap { envelope in
            guard case .forward(_, _, let position, let commands) = envelope.message else {
                return nil
            }
            return Sent(position: position, sequences: commands.map(\.id.sequence))
        }
    }

    private func command(_ sequence: UInt64) -> Command {
        Command(
            id: CommandID(origin: ReplicaID(1), sequence: sequence), footprint: .everything,
            payload: [])
    }
}
