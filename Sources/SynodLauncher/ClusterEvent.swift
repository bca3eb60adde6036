/// What happens to a cluster from outside of its launcher. Replicas are named by their index.
enum ClusterEvent: Sendable {
    /// The replica printed that it serves clients.
    case ready(Int, pid: Int32)
    /// The replica's process is gone.
    case ended(Int, pid: Int32, Ending)
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
enum Ending: Sendable, Equatable, CustomStringConvertible {
    case exited(code: Int32)
    case killed(signal: Int32)

    var description: String {
        switch self {
        case .exited(let code): "exited with code \(code)"
        case .killed(let signal): "was killed by signal \(signal)"
        }
    }
}

/// What one replica says of the cluster.
struct Sighting: Sendable, Equatable {
    let member: UInt64
    /// Zero when it knows of no leader.
    let leader: UInt64
    /// Grows with every change of leader.
    let round: UInt64
}
