/// The acceptor: the memory of the protocol. It promises to refuse lower ballots and accepts
/// what it has not promised to refuse (*Paxos Made Simple* §2.2, P1a).
///
/// One promise covers every slot, as in Multi-Paxos. What it accepted in slots that are known to
/// be chosen is no longer its business: those are facts, kept in the log and served by the
/// learner. Its window therefore starts behind the learner's chosen prefix.
package struct Acceptor: Hashable, Sendable {
    /// The highest ballot promised; it never goes back, not even over restarts.
    package private(set) var promised: Ballot
    /// The promise on the disk. It is lower after a restart that found fetched entries of a higher
    /// ballot; nobody has been told of a promise above this one.
    private var recorded: Ballot
    /// What it accepted in each slot above the chosen prefix, at the highest ballot.
    private(set) var accepted: SlotWindow<Accepted>

    package init(promised: Ballot, chosenThrough: Slot, accepted: [SlotAccepted]) {
        self.promised = promised
        recorded = promised
        self.accepted = SlotWindow(base: chosenThrough.next)
        for item in accepted where item.slot > chosenThrough {
            self.accepted[item.slot] = item.accepted
            self.promised = max(self.promised, item.accepted.ballot.general)
        }
    }

    /// The highest slot in which something is accepted or chosen.
    package var highestSlot: Slot { Slot(accepted.end.rawValue - 1) }

    package enum OnPrepare {
        /// To be sent when the promise is durable.
        case promise(Promise)
        case nack(promised: Ballot)
    }

    /// Phase 1b. A repeated prepare of the promised ballot is answered again: the first answer
    /// may have been lost.
    package mutating func prepare(_ ballot: Ballot, _ outbox: inout Outbox) -> OnPrepare {
        guard ballot >= promised else { return .nack(promised: promised) }
        promise(ballot, &outbox)
        var reported: [SlotAccepted] = []
        accepted.forEach { reported.append(SlotAccepted(slot: $0, accepted: $1)) }
        return .promise(
            Promise(
                ballot: ballot, chosenThrough: Slot(accepted.base.rawValue - 1), accepted: reported)
        )
    }

    package enum OnAccept {
        /// To be answered when it is durable.
        case accepted
        case nack(promised: Ballot)
        /// The slot is further above the chosen prefix than this acceptor keeps: it must catch up
        /// first, and says nothing.
        case tooFarAhead
        /// The leader of this ballot has abandoned the slot since, and proposed in it by itself:
        /// nobody counts on an answer.
        case abandoned
    }

    /// Phase 2b.
    package mutating func accept(
        _ ballot: Ballot, _ slot: Slot, _ entry: Entry, _ outbox: inout Outbox
    ) -> OnAccept {
        guard ballot >= promised else { return .nack(promised: promised) }
        // Accepting implies promising: a lower ballot must not be accepted later.
        promise(ballot.general, &outbox)
        // A chosen slot. This ballot proposes the chosen entry again (P2c), or another one at a
        // ballot below that of the choice, which this replica may never have promised. That one
        // gains nothing by the answer: nobody who promised the higher ballot accepts it any more,
        // nor had accepted it then, and all others are no majority.
        guard slot >= accepted.base else { return .accepted }
        guard hasRoom(for: slot) else { return .tooFarAhead }
        if let later = accepted[slot], later.ballot > ballot { return .abandoned }
        if let earlier = accepted[slot], earlier.ballot == ballot {
            precondition(
                earlier.entry == entry, "A ballot proposes one entry at most in a slot.")
            return .accepted
        }
        let value = Accepted(ballot: ballot, entry: entry)
        accepted[slot] = value
        outbox.persist.append(.accepted(slot, value))
        return .accepted
    }

    #if SYNOD_PLANTED_BUGS
        mutating func forgetPromise(above ballot: Ballot) { promised = min(promised, ballot) }
    #endif

    private mutating func promise(_ ballot: Ballot, _ outbox: inout Outbox) {
        promised = ballot
        guard ballot > recorded else { return }
        recorded = ballot
        outbox.persist.append(.promised(ballot))
    }

    /// Whether the slot is near enough to the chosen prefix to be kept.
    package func hasRoom(for slot: Slot) -> Bool {
        slot < accepted.base.advanced(by: Limits.acceptAhead)
    }

    /// The entry of a slot that this acceptor accepted at exactly the ballot and attempt at which
    /// its leader says that the slot is chosen.
    package func entry(in slot: Slot, chosenBy progress: Progress) -> Entry? {
        #if SYNOD_PLANTED_BUGS
            if PlantedBug.believesAbandoned.isActive, let value = accepted[slot],
                value.ballot.general == progress.ballot
            {
                return value.entry
            }
        #endif
        guard let value = accepted[slot], value.ballot.general == progress.ballot,
            value.ballot.attempt == 1 || slot > progress.abandonedThrough
        else { return nil }
        return value.entry
    }

    /// The entry that this acceptor accepted at exactly the ballot.
    package func entry(in slot: Slot, acceptedAt ballot: Ballot) -> Entry? {
        guard let value = accepted[slot], value.ballot == ballot else { return nil }
        return value.entry
    }

    /// Slots through this one are chosen and known: they are no longer the acceptor's business.
    package mutating func forget(through slot: Slot) {
        accepted.raiseBase(to: slot.next)
    }

    /// Which reads have to wait for what may be chosen, as far as this acceptor knows, above what
    /// it knows to be: for what it accepted, but for entries of older ballots above the point to
    /// which the leader of `progress` recovered. Those were not chosen then and nobody will ever
    /// choose them. And for what it has not accepted of the slots before these: see ``PendingSlots``.
    package func conflicts(with scopes: ReadScopes, _ progress: Progress?) -> [ReadConflict] {
        guard !accepted.isEmpty else { return [] }
        var finder = ReadConflictFinder(scopes)
        /// The slot in which an entry of the same leader is not known first, if not this one.
        var gapless = (next: accepted.base, ballot: Ballot.zero)
        accepted.forEach { slot, value in
            if let progress, value.ballot < progress.ballot, slot > progress.recoveredThrough {
                return
            }
            finder.add(value.entry, in: slot)
            let ballot = value.ballot.general
            if gapless.next == slot, gapless.ballot == ballot || slot == accepted.base {
                if isKnown(slot, at: ballot) { gapless = (slot.next, ballot) }
            } else {
                addUnknown(before: slot, at: ballot, value.entry, &finder)
            }
        }
        return finder.conflicts
    }

    private func addUnknown(
        before slot: Slot, at ballot: Ballot, _ entry: Entry, _ finder: inout ReadConflictFinder
    ) {
        entry.stamp?.pending.forEach(before: slot) { other, spans in
            if other >= accepted.base, !isKnown(other, at: ballot) { finder.add(spans, in: other) }
        }
    }

    /// Whether what a leader of the ballot has counted as pending in the slot is what this acceptor
    /// has there.
    ///
    /// A no-op is not: it says that the slot was abandoned, or recovered by who saw nothing there. As
    /// long as a minority has it, another leader may find the entry, and choose it.
    private func isKnown(_ slot: Slot, at ballot: Ballot) -> Bool {
        guard let value = accepted[slot], value.ballot.general == ballot else { return false }
        #if SYNOD_PLANTED_BUGS
            if PlantedBug.trustsNoops.isActive { return true }
        #endif
        return !value.entry.isNoop
    }
}
