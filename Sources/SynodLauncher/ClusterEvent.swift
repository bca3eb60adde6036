/// What happens to a cluster from outside of its launcher. Replicas are named by their index.
package enum ClusterEvent: Sendable {
    /// The replica printed that it serves clients.
    case ready(Int, pid: Int32)
    /// The replica's process is gone.
    case ended(Int, pid: Int32, Ending)
    /// The replica injected a fault of this kind into itself.
    case faultInjected(Int, kind: String)
    /// It is time to tell how many faults there were.
    case tallyDue
    /// The pause before the replica is started again is over.
    case restartDue(Int)
    /// What each replica said of itself when asked last; nil where none answered.
    case observed([Sighting?])
    /// The person at the terminal, or the system, wants it to stop.
    case stopRequested
    /// The replicas have had their time to stop by themselves.
    case patienceEnded
}

/// How a process ended.
package enum Ending: Sendable, Equatable, CustomStringConvertible {
    case exited(code: Int32)
    case killed(signal: Int32)

    package var description: String {
        switch self {
        case .exited(let code): "exited with code \(code)"
        case .killed(let signal): "was killed by signal \(signal)"
        }
    }
}

/// What one replica says of the cluster.
package struct Sighting: Sendable, Equatable {
    package let member: UInt64
    /// Zero when it knows of no leader.
    package let leader: UInt64
    /// Grows with every change of leader.
    package let round: UInt64

    package init(member: UInt64, leader: UInt64, round: UInt64) {
        self.member = member
        self.leader = leader
        self.round = round
    }
}
