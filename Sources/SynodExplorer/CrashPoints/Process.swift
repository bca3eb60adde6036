import SynodPaxos

/// A replica of a ``CrashRun`` with what its process and its disk hold.
struct Process {
    let id: ReplicaID
    /// Nil while it is down.
    var replica: Replica?
    var boot: UInt64 = 0
    var disk = Disk()
    var syncedThrough = WriteTicket.zero
    var held: [Envelope] = []
    /// A wake-up is under way for this time.
    var wakeAt = Instant.distantFuture
    /// The entries executed by this boot, from slot 1.
    var executed: [Entry] = []

    init(id: ReplicaID) {
        self.id = id
    }

    mutating func crash() {
        disk.crash()
        replica = nil
        syncedThrough = .zero
        held = []
    }

    /// Chosen entries from its log.
    func answer(_ fetch: Fetch) -> Message {
        let image = disk.current
        var entries: [Accepted] = []
        var slot = fetch.from
        while slot.rawValue <= UInt64(executed.count), let accepted = image.accepted(in: slot) {
            entries.append(accepted)
            slot = slot.next
        }
        return .fetched(
            from: fetch.from, entries: entries, chosenThrough: Slot(UInt64(executed.count)))
    }
}
