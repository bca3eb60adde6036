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
    var executedThrough = Slot.zero
    /// Of a state that was installed since the last step; zero if none was.
    var installedThrough = Slot.zero
    /// What must not leave yet.
    var held: [Envelope] = []
    /// Steps in a row that asked to be woken in the past: more than a few are a busy loop.
    var idleSteps = 0

    var nextSequence: UInt64 = 0
    /// By sequence: commands of this boot whose outcome its clients wait for.
    var waiting: [UInt64: Instant] = [:]
    /// What clients knew when a read began.
    var reads: [ReadID: Slot] = [:]
    var isInstalling = false

    init(id: ReplicaID) {
        self.id = id
    }

    var isUp: Bool { replica != nil }
}
