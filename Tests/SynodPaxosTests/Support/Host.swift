import SynodBytes
import SynodPaxos

/// The process around one replica: what a server keeps beside the core.
final class Host {
    let id: ReplicaID
    /// Nil while the process is down.
    var replica: Replica?
    var boot: UInt64 = 0
    var disk = SimulatedDisk()
    /// What is durable, as the process knows.
    var syncedThrough = WriteTicket.zero
    /// When the last write will be durable.
    var diskDoneAt = Instant(nanoseconds: 0)
    var inbox: [Input] = []
    var isStepDue = false
    var isPaused = false
    /// A wake-up is under way for this time.
    var wakeAt = Instant.distantFuture
    /// Everything through here is executed.
    private(set) var executedThrough = Slot.zero
    /// Above that: which commands of an entry are executed.
    private var executedAhead: [Slot: [Int]] = [:]
    /// The place of the last command that was executed on each key.
    private var lastPlaces: [Bytes: (Slot, Int)] = [:]
    /// Commands that were executed, as a stand-in for the revision.
    private var revision: Int64 = 0
    /// Of a state that was installed since the last step; zero if none was.
    var installedThrough = Slot.zero
    /// What must not leave yet.
    var held: [Envelope] = []
    /// Steps in a row that asked to be woken in the past: more than a few are a busy loop.
    var idleSteps = 0

    var nextSequence: UInt64 = 0
    /// By sequence: commands of this boot whose outcome its clients wait for.
    var waiting: [UInt64: Instant] = [:]
    var reads: [ReadID: PendingRead] = [:]
    var isInstalling = false

    init(id: ReplicaID) {
        self.id = id
    }

    var isUp: Bool { replica != nil }

    var executed: Executed { Executed(through: executedThrough, revision: revision, taken: 0) }

    /// The last slot of which a command on the key is executed, if that was not long ago.
    func lastSlot(of key: Bytes) -> Slot { lastPlaces[key]?.0 ?? .zero }

    /// Starts from a state that holds everything through the slot, and nothing more.
    func startExecuting(from slot: Slot) {
        executedThrough = slot
        executedAhead = [:]
        lastPlaces = [:]
    }

    /// Executes what was handed out. Returns what is wrong with its order, if anything is.
    func execute(_ item: Learned) -> String? {
        var all = executedAhead[item.slot] ?? []
        var objection: String?
        item.forEachCommand { command in
            let place = (item.slot, command.index)
            all.append(command.index)
            revision += 1
            for span in command.footprint.spans(in: command.payload) ?? [] {
                let last = lastPlaces.updateValue(place, forKey: Bytes(span.lower))
                if let last, last >= place {
                    objection =
                        "replica \(id.rawValue) executes \(place) behind \(last) on one key"
                }
            }
        }
        all.sort()
        if item.isInOrder
            ? all != Array(0..<item.entry.commandCount) : Set(all).count != all.count
        {
            objection = "replica \(id.rawValue) executes slot \(item.slot.rawValue) in wrong parts"
        }
        executedAhead[item.slot] = item.isInOrder ? nil : all
        if item.isInOrder { executedThrough = item.slot }
        return objection
    }
}

/// A read that a client waits for.
struct PendingRead {
    /// Nil: all of them.
    let key: Bytes?
    /// What clients knew when it began.
    let floor: Slot
}
