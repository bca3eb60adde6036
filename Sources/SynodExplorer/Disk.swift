import SynodPaxos

/// The log of one replica. A write becomes durable at some later point, in order; a crash loses
/// those that are not.
struct Disk: Hashable {
    struct Image: Hashable {
        var promised = Ballot.zero
        /// In slot order.
        var log: [SlotAccepted] = []
        /// The executed state that is kept beside the log reaches through here.
        var stateThrough = Slot.zero
        var stateRevision: Int64 = 0

        mutating func apply(_ write: LogWrite) {
            switch write {
            case .promised(let ballot): promised = ballot
            case .accepted(let slot, let accepted):
                log.removeAll { $0.slot == slot }
                let place = log.firstIndex { $0.slot > slot } ?? log.endIndex
                log.insert(SlotAccepted(slot: slot, accepted: accepted), at: place)
            case .installed: preconditionFailure("No state is installed while exploring.")
            }
        }

        func accepted(in slot: Slot) -> Accepted? {
            log.first { $0.slot == slot }?.accepted
        }

        /// What a replica finds when it starts.
        var restored: Replica.Restored {
            var restored = Replica.Restored()
            restored.promised = promised
            restored.chosenThrough = stateThrough
            restored.accepted = log.filter { $0.slot > stateThrough }
            return restored
        }
    }

    struct Batch: Hashable {
        let ticket: WriteTicket
        let writes: [LogWrite]
        /// Which of the entries were fetched and not accepted.
        let fetched: [Accepted]
    }

    /// What a crash leaves.
    var durable = Image()
    private(set) var unsynced: [Batch] = []

    /// What a reader sees now.
    var current: Image {
        var image = durable
        for batch in unsynced { for write in batch.writes { image.apply(write) } }
        return image
    }

    mutating func write(_ writes: [LogWrite], as ticket: WriteTicket, fetched: [Accepted]) {
        unsynced.append(Batch(ticket: ticket, writes: writes, fetched: fetched))
    }

    /// Takes the oldest batch, to be applied to `durable`.
    mutating func nextBatch() -> Batch { unsynced.removeFirst() }

    mutating func crash() { unsynced = [] }
}
