import DequeModule

/// A replica's own proposer: runs phase 2 in slots that the leader has granted to it, at the
/// leader's ballot.
///
/// It asks for a slot for each batch of commands, telling the leader which keys they touch, and
/// uses each slot as soon as it comes: others stand behind it. The leader counts who accepted, and
/// takes over once it has the entry, so that all there is left to do here is to see to it that the
/// leader gets it.
package struct Proposer: Hashable, Sendable {
    private var ballot = Ballot.zero
    /// Batches that no slot is granted for, by rising numbers.
    private var asked: Deque<Batch> = []
    private var lastNumber: UInt64 = 0
    /// Granted and not used.
    private var granted: Deque<Granted> = []
    /// Proposed and not decided.
    private var proposals: [Proposal] = []
    private var askAgainAt = Instant.distantFuture
    private var pace = Pace()

    private struct Batch: Hashable, Sendable {
        let number: UInt64
        let commands: [Command]
    }

    package struct Granted: Hashable, Sendable {
        package let slot: Slot
        package let stamp: Stamp?
        package let batch: UInt64
        package let commands: [Command]
    }

    private struct Proposal: Hashable, Sendable {
        let slot: Slot
        let batch: UInt64
        let entry: Entry
        let bytes: Int
        let proposedAt: Instant
        /// When the leader is sent it again, and how long it has after that.
        var repeatAt: Instant
        var patience: Interval
    }

    package init() {}

    /// Starts anew at a ballot, or under another number of this replica's.
    package mutating func open(_ ballot: Ballot) {
        self = Proposer()
        self.ballot = ballot
    }

    /// Slots asked for, granted or proposed in and not decided.
    package var slotsInUse: Int { asked.count + granted.count + proposals.count }

    /// Bytes of commands proposed here and not decided.
    package var bytesInFlight: Int { proposals.reduce(0) { $0 + $1.bytes } }

    /// Bytes of the next batch, at most.
    package var batchBytes: Int { pace.entryBytes }

    /// Whether a batch of so many bytes may follow what is in flight.
    package func hasRoom(for bytes: Int) -> Bool {
        pace.hasRoom(inFlight: bytesInFlight, for: min(bytes, batchBytes))
    }

    // MARK: Grants

    /// Whether everything that was asked for has been granted.
    package var isAskedOut: Bool { asked.isEmpty }

    /// The number of the batch that is asked for next.
    package var nextNumber: UInt64 { lastNumber + 1 }

    /// Asks for a slot for the commands.
    package mutating func ask(
        for commands: [Command], boot: UInt64, _ now: Instant, retransmission: Interval,
        _ outbox: inout Outbox
    ) {
        asked.append(Batch(number: nextNumber, commands: commands))
        lastNumber = nextNumber
        sendRequest(asked.suffix(1), boot, &outbox)
        askAgainAt = now + retransmission
    }

    private func sendRequest(
        _ batches: some Sequence<Batch>, _ boot: UInt64, _ outbox: inout Outbox
    ) {
        let outlines = batches.map {
            BatchOutline(number: $0.number, commands: $0.commands.map(\.outline))
        }
        outbox.send(
            .grantRequest(ballot: ballot, boot: boot, batches: outlines),
            to: .replica(ballot.replica))
    }

    /// The leader grants a slot. What was asked for is granted once: another grant of the same batch
    /// is a repetition, or is left to be abandoned. False if the slot is decided already, because the
    /// grant was too long on its way.
    package mutating func granted(
        _ slot: Slot, _ stamp: Stamp?, for number: UInt64, at ballot: Ballot, chosenThrough: Slot
    ) -> Bool {
        guard ballot == self.ballot,
            let place = asked.firstIndex(where: { $0.number == number })
        else { return true }
        guard slot > chosenThrough else { return false }
        let batch = asked.remove(at: place)
        granted.append(
            Granted(slot: slot, stamp: stamp, batch: number, commands: batch.commands))
        if asked.isEmpty { askAgainAt = .distantFuture }
        return true
    }

    /// What was asked for and not granted is not wanted any more. Returns its numbers.
    package mutating func withdraw() -> [UInt64] {
        defer { asked.removeAll() }
        askAgainAt = .distantFuture
        return asked.map(\.number)
    }

    package mutating func nextGranted() -> Granted? { granted.popFirst() }

    // MARK: Proposals

    package mutating func propose(
        _ entry: Entry, in granted: Granted, _ now: Instant, retransmission: Interval,
        _ outbox: inout Outbox
    ) {
        proposals.append(
            Proposal(
                slot: granted.slot, batch: granted.batch, entry: entry,
                bytes: entry.commandBytes, proposedAt: now,
                repeatAt: now + retransmission * 2, patience: retransmission * 4))
        outbox.send(.accept(ballot: ballot, slot: granted.slot, entry: entry), to: .others)
    }

    /// How a slot was decided in which this replica has proposed something.
    package enum Outcome: Hashable, Sendable {
        /// - Parameter isLate: It took longer than a leader usually waits for an entry.
        case asProposed(isLate: Bool)
        /// The commands of this batch are still to be proposed.
        case otherwise(batch: UInt64)
    }

    /// A slot is decided. Nil if nothing was proposed there.
    package mutating func learned(
        _ slot: Slot, _ entry: Entry, response: Interval, _ now: Instant
    ) -> Outcome? {
        guard let place = proposals.firstIndex(where: { $0.slot == slot }) else { return nil }
        let proposal = proposals[place]
        pace.decided(
            bytes: proposal.bytes, inFlight: bytesInFlight,
            proposedAt: proposal.proposedAt, response: response, holdsUpOthers: false, now)
        proposals.remove(at: place)
        guard proposal.entry == entry else { return .otherwise(batch: proposal.batch) }
        return .asProposed(isLate: now.since(proposal.proposedAt) > response * 2)
    }

    /// When something wants to be said again.
    package var repeatAt: Instant {
        proposals.reduce(askAgainAt) { min($0, $1.repeatAt) }
    }

    package mutating func repeatUnanswered(
        boot: UInt64, _ now: Instant, retransmission: Interval, _ outbox: inout Outbox
    ) {
        if askAgainAt <= now {
            sendRequest(asked, boot, &outbox)
            askAgainAt = now + retransmission
        }
        for index in proposals.indices where proposals[index].repeatAt <= now {
            proposals[index].repeatAt = now + proposals[index].patience
            proposals[index].patience = proposals[index].patience * 2
            outbox.send(
                .accept(
                    ballot: ballot, slot: proposals[index].slot, entry: proposals[index].entry),
                to: .replica(ballot.replica))
        }
    }
}
