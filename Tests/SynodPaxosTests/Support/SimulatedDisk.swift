import SynodPaxos

/// A log on a disk that forgets, in a crash, any suffix of the batches that were not synced.
struct SimulatedDisk {
    /// What can be read.
    struct Image {
        var promised = Ballot.zero
        var log: [Slot: Accepted] = [:]
        /// The executed state that is kept beside the log reaches through here.
        var stateThrough = Slot.zero
        /// Entries through here are gone from the log.
        var truncatedThrough = Slot.zero

        fileprivate mutating func apply(_ change: Change) {
            switch change {
            case .paxos(.promised(let ballot)): promised = ballot
            case .paxos(.accepted(let slot, let accepted)): log[slot] = accepted
            case .paxos(.installed(let slot)):
                // Which state is in use goes to the log with the position, in one batch.
                stateThrough = max(stateThrough, slot)
                truncate(through: slot)
            case .state(let slot): stateThrough = max(stateThrough, slot)
            case .truncate(let slot): truncate(through: slot)
            }
        }

        private mutating func truncate(through slot: Slot) {
            guard slot > truncatedThrough else { return }
            truncatedThrough = slot
            log = log.filter { $0.key > slot }
        }
    }

    enum Change {
        case paxos(LogWrite)
        case state(through: Slot)
        case truncate(through: Slot)
    }

    /// What a crash leaves.
    private(set) var durable = Image()
    /// What a reader sees now.
    private(set) var current = Image()
    private var unsynced: [(ticket: WriteTicket, changes: [Change])] = []

    var unsyncedCount: Int { unsynced.count }

    mutating func write(_ changes: [Change], as ticket: WriteTicket) {
        for change in changes { current.apply(change) }
        unsynced.append((ticket, changes))
    }

    /// Everything through the ticket survives from now on. Returns the changes, in order.
    mutating func sync(through ticket: WriteTicket) -> [Change] {
        var synced: [Change] = []
        while let first = unsynced.first, first.ticket <= ticket {
            unsynced.removeFirst()
            for change in first.changes {
                durable.apply(change)
                synced.append(change)
            }
        }
        return synced
    }

    /// Loses all but the first `count` of the batches that were not synced. Returns the changes
    /// that happened to survive.
    mutating func crash(keeping count: Int) -> [Change] {
        var kept: [Change] = []
        for batch in unsynced.prefix(count) {
            for change in batch.changes {
                durable.apply(change)
                kept.append(change)
            }
        }
        unsynced = []
        current = durable
        return kept
    }

    /// What a replica is started with.
    var restored: Replica.Restored {
        var restored = Replica.Restored()
        restored.promised = durable.promised
        restored.chosenThrough = durable.stateThrough
        restored.accepted = durable.log.keys.filter { $0 > durable.stateThrough }.sorted()
            .map { SlotAccepted(slot: $0, accepted: durable.log[$0]!) }
        return restored
    }
}
