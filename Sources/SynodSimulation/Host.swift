import SynodBytes
import SynodNode
import SynodPaxos
import SynodStorage

/// One machine: a disk, a clock and, while it runs, a process with a node in it.
final class Host {
    typealias SimulatedNode = Node<MemoryStore, MemoryStore>

    /// Whether the process runs, and if not, whether it may again.
    enum Standing: Equatable {
        case up
        /// Started again when its time comes.
        case down
        /// Stopped for good, as it must: its disk is not what it was.
        case out(String)
    }

    let index: Int
    let id: ReplicaID
    var disk: Disk
    var clock: HostClock
    var standing = Standing.down
    var node: SimulatedNode?
    /// How the node was after its last step; nil while there is none.
    var glance: SimulatedNode.Glance?
    /// Grows with every start and stop; what was meant for an earlier life is dropped.
    var life = 0
    var inbox: [NodeEvent] = []
    var isTurnDue = false
    var isPaused = false
    /// What the clock showed when the machine fell asleep, if it sleeps.
    var asleepAt: Instant?
    /// When the node wants to be woken, and the number of that timer.
    var wakeAt = Instant.distantFuture
    var wakeNumber = 0
    /// Timers go off this much late.
    var timerDelay = Interval(nanoseconds: 0)
    /// Reasons for which peers have refused this process, by replica index.
    var refusals: [String?]
    /// State stores wait to be removed until this batch is durable.
    var staleSince: StaleSince?
    var lastTicket: LogTicket?
    var writtenTicket: LogTicket?
    /// Dies after this many more effects; nil: does not.
    var crashAfterEffects: Int?
    /// The fault that wants it so.
    var crashFault = FaultID.p2
    /// Requests in this process that have no answer yet, by call number.
    var openCalls: Set<UInt64> = []
    var chance: PRNG

    struct StaleSince {
        let ticket: LogTicket?
    }

    init(index: Int, count: Int, chance: PRNG) {
        self.index = index
        self.chance = chance
        id = ReplicaID(UInt64(index + 1))
        disk = Disk(Self.identity(of: index, incarnation: self.chance.next()))
        clock = HostClock(start: Instant(nanoseconds: 1 + self.chance.below(1 << 40)))
        refusals = Array(repeating: nil, count: count)
    }

    var isUp: Bool { standing == .up }

    var name: String { Self.name(of: index) }

    /// Whose data a directory of this member's holds.
    func identity(incarnation: UInt64) -> MemberIdentity {
        Self.identity(of: index, incarnation: incarnation)
    }

    private static func name(of index: Int) -> String { "r\(index + 1)" }

    private static func identity(of index: Int, incarnation: UInt64) -> MemberIdentity {
        MemberIdentity(
            clusterID: 7, memberID: UInt64(index + 1), incarnation: incarnation,
            name: name(of: index))
    }
}
