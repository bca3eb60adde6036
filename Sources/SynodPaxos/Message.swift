/// What replicas say to each other. Any message may be lost, doubled, delayed or reordered.
///
/// ```
///  candidate                 acceptor            leader                acceptor        learner
///     │──canvass──────────────▶│                   │──accept─────────────▶│              │
///     │◀─────────────canvassed─│                   │          (to disk)   │              │
///     │──prepare──────────────▶│                   │◀────────────accepted─│              │
///     │            (to disk)   │                   │──chosen────────────────────────────▶│
///     │◀───────────────promise─│                   │◀─────────────────────────────fetch──│
///     │◀──────────────────nack─│ (either phase)    │──fetched───────────────────────────▶│
/// ```
package enum Message: Hashable, Sendable {
    /// Would you promise, that is: do you hear no leader either? Sent before a campaign, so that a
    /// half-connected replica does not depose a leader who is well. Unserved is who has a way to the
    /// leader and waits in vain for what it sent there: then a leader who brings nothing forward
    /// counts as one who is not heard.
    case canvass(round: UInt64, isUnserved: Bool)
    /// What the leader has said whom the sender hears itself; nil if it hears none, and a campaign
    /// is welcome. Whoever asked may send its commands to that leader through the sender.
    case canvassed(round: UInt64, leader: Progress?, chosenThrough: Slot)

    /// Phase 1a for all slots from `from` on.
    case prepare(ballot: Ballot, from: Slot)
    /// Phase 1b.
    case promise(Promise)
    /// A refusal of either phase: the sender has promised this ballot, which is higher.
    case nack(promised: Ballot)

    /// Phase 2a, from the leader of the ballot or from the proposer to whom it granted the slot. It
    /// is the leader who counts the answers.
    case accept(ballot: Ballot, slot: Slot, entry: Entry)
    /// Phase 2b, for a run of slots; both ends included.
    case accepted(ballot: Ballot, first: Slot, last: Slot)

    /// What is chosen, sent whenever it grows.
    case chosen(Progress)
    /// The same at fixed intervals: the leader lives. Answered with ``heard(ballot:)``.
    case heartbeat(Progress)
    case heard(ballot: Ballot)
    /// The leader of `ballot` has no answer of the receiver's for too long: what the receiver sends
    /// goes elsewhere, or gets lost.
    case unheard(ballot: Ballot)

    /// Commands of one replica's clients, their origin's, for the leader of `ballot`, numbered from
    /// `position` on in the order in which their origin has sent them in this ballot under the
    /// number `boot`, which grows whenever the positions begin anew. Passed on by a replica that
    /// hears the leader, where the origin does not.
    case forward(ballot: Ballot, boot: UInt64, position: UInt64, commands: [Command])

    /// A proposer asks the leader of `ballot` for a slot for each of these batches. The numbers of
    /// batches begin anew with each `boot`, which grows with every start.
    case grantRequest(ballot: Ballot, boot: UInt64, batches: [BatchOutline])
    /// The slot is the receiver's, for that batch and with that stamp: nobody else proposes in it at
    /// this ballot, and the receiver proposes one entry.
    case grant(ballot: Ballot, boot: UInt64, batch: UInt64, slot: Slot, stamp: Stamp?)

    /// What may be chosen, as far as you know, of what these reads ask for?
    case readQuery(round: UInt64, scopes: ReadScopes)
    /// Everything through a slot, and for some reads more.
    case readReply(round: UInt64, chosenThrough: Slot, conflicts: [ReadConflict])

    /// Asks for chosen entries from a slot on.
    case fetch(from: Slot)
    /// Chosen entries of consecutive slots.
    case fetched(from: Slot, entries: [Accepted], chosenThrough: Slot)
    /// The entries asked for are truncated; a snapshot is to be had instead.
    case truncated(firstRetained: Slot)
}

/// An acceptor's answer to ``Message/prepare(ballot:from:)``.
package struct Promise: Hashable, Sendable {
    package let ballot: Ballot
    /// Everything through here is chosen and known to this acceptor; it reports nothing of it.
    package let chosenThrough: Slot
    /// What it has accepted above `chosenThrough`, in slot order.
    package let accepted: [SlotAccepted]

    package init(ballot: Ballot, chosenThrough: Slot, accepted: [SlotAccepted]) {
        self.ballot = ballot
        self.chosenThrough = chosenThrough
        self.accepted = accepted
    }
}

/// An entry and the ballot at which it was accepted.
package struct Accepted: Hashable, Sendable {
    package let ballot: Ballot
    package let entry: Entry

    package init(ballot: Ballot, entry: Entry) {
        self.ballot = ballot
        self.entry = entry
    }
}

/// What was accepted in one slot.
package struct SlotAccepted: Hashable, Sendable {
    package let slot: Slot
    package let accepted: Accepted

    package init(slot: Slot, accepted: Accepted) {
        self.slot = slot
        self.accepted = accepted
    }
}

/// Commands for which a proposer wants a slot; once asked for, they do not change.
package struct BatchOutline: Hashable, Sendable {
    /// Counts the batches of a proposer, from 1.
    package let number: UInt64
    package let commands: [Outline]

    package init(number: UInt64, commands: [Outline]) {
        self.number = number
        self.commands = commands
    }
}

/// What a leader says of its ballot.
package struct Progress: Hashable, Sendable {
    package let ballot: Ballot
    /// Every slot through here is chosen; those that the ballot itself proposed, as it did.
    package let chosenThrough: Slot
    /// The last slot in which a leader of a lower ballot can have proposed anything: above it,
    /// nothing of theirs was or will be chosen.
    package let recoveredThrough: Slot
    /// The last slot that the leader granted and then abandoned; zero if there is none. What was
    /// accepted through there at the ballot's attempt 0 need not be what was chosen.
    package let abandonedThrough: Slot
    /// Slots above `chosenThrough` in which what was proposed at the ballot's attempt 0 is chosen as
    /// well, and has a stamp; the first one above is the lowest bit. Not all of them need be marked.
    package let chosenBeyond: UInt64
    /// How many full entries the leader could make of the commands that it has taken and not
    /// proposed: more than none only where the window is full.
    package let backlog: UInt64

    package init(
        ballot: Ballot, chosenThrough: Slot, recoveredThrough: Slot,
        abandonedThrough: Slot = .zero, chosenBeyond: UInt64 = 0, backlog: UInt64 = 0
    ) {
        self.ballot = ballot
        self.chosenThrough = chosenThrough
        self.recoveredThrough = recoveredThrough
        self.abandonedThrough = abandonedThrough
        self.chosenBeyond = chosenBeyond
        self.backlog = backlog
    }

    /// Whether the slot is marked as chosen above the others.
    func isChosenBeyond(_ slot: Slot) -> Bool {
        guard slot > chosenThrough, slot.distance(from: chosenThrough) <= 64 else { return false }
        return chosenBeyond & (1 << UInt64(slot.distance(from: chosenThrough) - 1)) != 0
    }

    /// What both say of one ballot.
    func united(with other: Progress) -> Progress {
        let later = chosenThrough >= other.chosenThrough ? self : other
        guard chosenThrough == other.chosenThrough else { return later }
        return Progress(
            ballot: ballot, chosenThrough: chosenThrough, recoveredThrough: recoveredThrough,
            abandonedThrough: max(abandonedThrough, other.abandonedThrough),
            chosenBeyond: chosenBeyond | other.chosenBeyond, backlog: other.backlog)
    }

    /// The same for the leader's own learner, whose acceptor has of each slot what was chosen.
    var ofLeader: Progress {
        Progress(
            ballot: ballot, chosenThrough: chosenThrough, recoveredThrough: recoveredThrough,
            chosenBeyond: chosenBeyond, backlog: backlog)
    }
}
