/// A replica's own proposer: runs phase 2 in slots that the leader has granted to it, at the
/// leader's ballot.
///
/// It asks for slots when commands wait, and uses each as soon as it comes, with a no-op if nothing
/// waits any more: others stand behind it. The leader counts who accepted, and takes over once it
/// has the entry, so that all there is left to do here is to see to it that the leader gets it.
package struct Proposer: Hashable, Sendable {
    private var ballot = Ballot.zero
    /// The last slot granted.
    private var seen = Slot.zero
    /// Granted and not used.
    private var granted: [Slot] = []
    /// Proposed and not decided, by rising slots.
    private var proposals: [Proposal] = []
    /// Slots asked for above `seen`.
    private var wanted = 0
    private var askAgainAt = Instant.distantFuture

    private struct Proposal: Hashable, Sendable {
        let slot: Slot
        let entry: Entry
        /// When the leader is sent it again.
        var repeatAt: Instant
    }

    package init() {}

    /// Starts anew at a ballot, or under another number of this replica's.
    package mutating func open(_ ballot: Ballot) {
        self = Proposer()
        self.ballot = ballot
    }

    /// Slots asked for, granted or proposed in and not decided.
    package var slotsInUse: Int { wanted + granted.count + proposals.count }

    /// Bytes proposed here and not decided.
    package var bytesInFlight: Int { proposals.reduce(0) { $0 + $1.entry.encoded.count } }

    // MARK: Grants

    /// Whether everything that was asked for has been granted.
    package var isAskedOut: Bool { wanted == 0 }

    /// Asks for one more slot.
    package mutating func ask(
        boot: UInt64, _ now: Instant, retransmission: Interval, _ outbox: inout Outbox
    ) {
        wanted += 1
        sendRequest(boot, &outbox)
        askAgainAt = now + retransmission
    }

    private func sendRequest(_ boot: UInt64, _ outbox: inout Outbox) {
        outbox.send(
            .grantRequest(ballot: ballot, boot: boot, seen: seen, wanted: UInt64(wanted)),
            to: .replica(ballot.replica))
    }

    /// The leader grants a slot. One that comes out of order is left to be abandoned; one that comes
    /// when it is decided already has been.
    package mutating func granted(_ slot: Slot, at ballot: Ballot, chosenThrough: Slot) {
        guard ballot == self.ballot, slot > seen, wanted > 0 else { return }
        seen = slot
        if slot > chosenThrough { granted.append(slot) }
        wanted -= 1
        if wanted == 0 { askAgainAt = .distantFuture }
    }

    /// What was asked for and not granted is not wanted any more.
    package mutating func withdraw() {
        wanted = 0
        askAgainAt = .distantFuture
    }

    package mutating func nextGranted() -> Slot? {
        granted.isEmpty ? nil : granted.removeFirst()
    }

    // MARK: Proposals

    package mutating func propose(
        _ entry: Entry, in slot: Slot, _ now: Instant, retransmission: Interval,
        _ outbox: inout Outbox
    ) {
        proposals.append(Proposal(slot: slot, entry: entry, repeatAt: now + retransmission * 2))
        outbox.send(.accept(ballot: ballot, slot: slot, entry: entry), to: .others)
    }

    /// How a slot was decided in which this replica has proposed something.
    package enum Outcome: Hashable, Sendable {
        case asProposed
        case otherwise
    }

    /// A slot is decided. Nil if nothing was proposed there.
    package mutating func learned(_ slot: Slot, _ entry: Entry) -> Outcome? {
        granted.removeAll { $0 <= slot }
        guard let first = proposals.first, first.slot <= slot else { return nil }
        precondition(first.slot == slot, "Slots are learned in order.")
        proposals.removeFirst()
        return first.entry == entry ? .asProposed : .otherwise
    }

    /// When something wants to be said again.
    package var repeatAt: Instant {
        proposals.reduce(askAgainAt) { min($0, $1.repeatAt) }
    }

    package mutating func repeatUnanswered(
        boot: UInt64, _ now: Instant, retransmission: Interval, _ outbox: inout Outbox
    ) {
        if askAgainAt <= now {
            sendRequest(boot, &outbox)
            askAgainAt = now + retransmission
        }
        for index in proposals.indices where proposals[index].repeatAt <= now {
            proposals[index].repeatAt = now + retransmission * 4
            outbox.send(
                .accept(
                    ballot: ballot, slot: proposals[index].slot, entry: proposals[index].entry),
                to: .replica(ballot.replica))
        }
    }
}
