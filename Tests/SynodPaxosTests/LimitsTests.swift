import SynodPaxos
import Testing

/// The inequalities between the bounds, without which one of them would be no bound.
struct LimitsTests {
    /// A promise holds a window of entries, the last of which may be one large command.
    @Test func aPromiseFitsAMessage() {
        let header = Limits.acceptAhead * 64
        #expect(
            Limits.windowBytes + Limits.entryBytes + header < Limits.messageBytes)
        #expect(Limits.windowBytes + Limits.commandBytes + header < Limits.messageBytes)
    }

    /// Commands, entries and keys come in bursts, the first item of which may be as long as a request.
    @Test func everyMessageFits() {
        #expect(Limits.burstBytes + Limits.commandBytes < Limits.messageBytes)
        #expect(Limits.commandBytes < Limits.queueBytes)
        #expect(Limits.commandBytes < Limits.pendingBytes)
        #expect(Limits.commandBytes < Limits.pendingReadBytes)
        // A grant tells of a window of slots and of the commands that its own wait for.
        let stamp = Limits.window * (Limits.touchedBytes + 64) + Limits.stampWaits * 12
        #expect(stamp < Limits.burstBytes)
    }

    /// An acceptor keeps what a leader proposes, even if it is a window behind.
    @Test func anAcceptorKeepsTheWindow() {
        #expect(Limits.acceptAhead >= 2 * Limits.window)
    }

    /// Counting on from the highest slot cannot overflow, nor can the numbers made from a boot.
    @Test func nothingOverflows() {
        let added = UInt64(Limits.acceptAhead + Limits.window + Limits.entryCommands)
        #expect(Limits.highestSlot.addingReportingOverflow(added).overflow == false)
        #expect(Int(exactly: Limits.highestSlot + added) != nil)
        #expect(UInt64(1 << 24).multipliedReportingOverflow(by: 1 << 39).overflow == false)
    }

    @Test func aReplicaSetHoldsAMembership() {
        var set = ReplicaSet()
        for index in 0..<Limits.replicas { set.insert(index) }
        #expect(set.count == Limits.replicas)
        #expect((0..<Limits.replicas).allSatisfy { set.contains($0) })
        #expect(!set.contains(Limits.replicas))
    }

    /// A suspicion leaves room for lost heartbeats and comes before an election timeout.
    @Test(
        arguments: [(10, 100), (100, 1000), (50, 500), (500, 5000), (1, 5)] as [(UInt64, UInt64)])
    func timesAreInOrder(heartbeat: UInt64, election: UInt64) {
        let timing = Timing(
            heartbeat: .milliseconds(heartbeat), election: .milliseconds(election))
        #expect(timing.heartbeat * 2 < timing.suspicion)
        #expect(timing.suspicion < timing.election)
        #expect(timing.backOff < timing.election)
        #expect(timing.retransmission >= timing.heartbeat)
        #expect(timing.retransmission < timing.election)
    }
}
