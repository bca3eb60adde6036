import SynodBytes
import SynodNode
import SynodPaxos
import SynodStorage

/// One machine's data directory and the thread that writes its log. It outlives the process.
final class Disk {
    /// A batch on its way to the log.
    struct Job {
        let batch: WriteBatch
        let ticket: LogTicket
    }

    /// What the disk has stores for; a state by its number.
    enum Part: Equatable {
        case log
        case state(UInt64)
    }

    /// Whose data it is, as the directory says.
    let identity: MemberIdentity
    private(set) var log = MemoryStore()
    /// By ascending number.
    private(set) var states: [(number: UInt64, store: MemoryStore)] = []
    private var queue: [Job] = []
    /// Handed to the disk together, not yet durable.
    private(set) var writing: (batch: WriteBatch, last: LogTicket)?
    /// The number of the state that was lost and is not back.
    private(set) var lostState: UInt64?

    init(_ identity: MemberIdentity) {
        self.identity = identity
    }

    private init(copying other: Disk) {
        identity = other.identity
        log = other.log.crashImage(keepingUnsynced: 0)
        states = other.states.map { ($0.number, $0.store.crashImage(keepingUnsynced: 0)) }
        // How much room there was does not matter where it is put back.
        makeSpace()
    }

    var owner: ReplicaID { ReplicaID(identity.memberID) }

    /// What a restart would find now if nothing unsynced survived.
    func durableCopy() -> Disk { Disk(copying: self) }

    // MARK: Faults

    func store(of part: Part) -> MemoryStore {
        switch part {
        case .log: log
        case .state(let number): state(number)
        }
    }

    private var stores: [MemoryStore] { [log] + states.map(\.store) }

    func cancelFaults() {
        for store in stores { store.cancelFaults() }
    }

    func makeSpace() {
        for store in stores { store.capacity = nil }
    }

    /// Whether a crash now takes something that was reported as durable.
    var losesReported: Bool {
        stores.contains { $0.liesAboutSyncs && $0.unsyncedBatchCount > 0 }
    }

    // MARK: Opening

    /// The log, for the member that is about to start here. As the opening of a data directory does, it
    /// refuses another member's, and as that of a journal it reads everything and holds the end
    /// against the mark.
    func openLog(for member: MemberIdentity) throws(StorageError) -> MemoryStore {
        try identity.refuseUnless(member, in: identity.name)
        try log.scan(from: [], to: nil) { _, _ in true }
        #if SYNOD_PLANTED_BUGS
            if PlantedBug.ignoresLostTail.isActive { return log }
        #endif
        try log.extent.refuseLoss(in: identity.name)
        return log
    }

    // MARK: The log

    func enqueue(_ batch: WriteBatch, _ ticket: LogTicket) {
        queue.append(Job(batch: batch, ticket: ticket))
    }

    /// Takes everything that queued as one write, if the disk is idle: one sync serves them all.
    func beginWrite() -> Bool {
        guard writing == nil, let first = queue.first else { return false }
        var batch = first.batch
        for job in queue.dropFirst() { batch.append(job.batch) }
        writing = (batch, queue[queue.count - 1].ticket)
        queue.removeAll(keepingCapacity: true)
        return true
    }

    /// The write reaches the disk. Returns what became durable, and through which ticket.
    func finishWrite() throws(StorageError) -> (batch: WriteBatch, ticket: LogTicket)? {
        guard let (batch, ticket) = writing else { return nil }
        writing = nil
        try log.write(batch, durability: .synced)
        return (batch, ticket)
    }

    // MARK: States

    /// The state store of the number, empty if there is none.
    func state(_ number: UInt64) -> MemoryStore {
        if let found = states.first(where: { $0.number == number }) { return found.store }
        let store = MemoryStore()
        states.append((number, store))
        states.sort { $0.number < $1.number }
        return store
    }

    func makeState() -> (number: UInt64, store: MemoryStore) {
        let number = (states.last?.number ?? 0) + 1
        return (number, state(number))
    }

    var newestState: UInt64? { states.last?.number }

    func removeStates(except numbers: [UInt64]) {
        states.removeAll { !numbers.contains($0.number) }
    }

    // MARK: Crashes

    /// The process or the machine dies. What had been handed to the disk survives if `keepsWrite`;
    /// of the state, some prefix of what was not flushed, if `keepsState`. Returns what became durable after all.
    func crash(keepsWrite: Bool, keepsState: Bool, _ chance: inout PRNG) -> WriteBatch? {
        var survived: WriteBatch?
        if keepsWrite, let batch = writing?.batch, !log.liesAboutSyncs {
            survived = batch
            // A failed disk takes nothing more.
            do throws(StorageError) { try log.write(batch, durability: .synced) } catch {
                survived = nil
            }
        }
        writing = nil
        queue.removeAll()
        log = log.crashImage(keepingUnsynced: 0)
        let current = currentState
        for index in states.indices {
            let store = states[index].store
            if states[index].number == current, store.liesAboutSyncs, store.unsyncedBatchCount > 0 {
                lostState = current
            }
            let kept = keepsState ? chance.index(store.unsyncedBatchCount + 1) : 0
            states[index].store = store.crashImage(keepingUnsynced: kept)
        }
        return survived
    }

    /// All that the log says.
    var records: [LogSchema.Record] {
        var records: [LogSchema.Record] = []
        log.unnoticed {
            try? log.scan(from: [], to: nil) { key, value in
                if let record = try? LogSchema.record(key: Bytes(key), value: Bytes(value)) {
                    records.append(record)
                }
                return true
            }
        }
        return records
    }

    var hasOnlyLostItsState: Bool {
        lostState != nil && !log.extent.lacksAcknowledged && !log.isDamaged
    }

    /// The number of the state in use, or the first one's, for whoever is no part of the system.
    private var currentState: UInt64? {
        log.unnoticed { try? LogSchema.currentState(in: log) }
    }

    /// The state is gone, and the log is as it was.
    func forgetStates() {
        lostState = currentState
        removeStates(except: [])
    }

    /// Whether nothing is wrong with what is there, and nothing missing.
    var isSound: Bool {
        lostState == nil && !log.extent.lacksAcknowledged
            && !stores.contains { $0.isDamaged || $0.liesAboutSyncs }
    }

    var isDamaged: Bool { stores.contains(where: \.isDamaged) }

    /// A state with a damaged block.
    var damagedState: UInt64? { states.first { $0.store.isDamaged }?.number }

    /// What somebody does who is told that a block of this state is damaged.
    func removeDamagedState(_ number: UInt64) {
        if number == currentState {
            forgetStates()
        } else {
            states.removeAll { $0.number == number }
        }
    }

    /// Whether a lost state is back for good: another one is in use, or the log has all of it. It is
    /// reported once.
    func hasStateBack() -> Bool {
        guard let lostState else { return false }
        let reachesBack = log.unnoticed { try? LogSchema.reachesBackToTheStart(log) }
        guard currentState != lostState || reachesBack == true else { return false }
        self.lostState = nil
        return true
    }
}
