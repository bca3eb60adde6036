import SynodPaxos

/// What can happen to one replica.
enum Event: Hashable {
    case delivery(Int32)
    /// The oldest write completes.
    case sync
    /// It suspects whoever leads, finds a majority that does not mind, and takes a new ballot.
    case campaign
    /// Its process dies and starts again, without what was not durable. The executed state is
    /// lost, or kept as far as it went.
    case crash(keepingState: Bool)
    /// It looks whether anything is left to do, although nothing happened and no time passed.
    case wake
    /// A client wants a command executed; its number among all of them.
    case submission(sequence: UInt64, number: Int)
    /// A leader sends again what it knows and not everyone has accepted.
    case repetition
    /// A leader loses its patience with one of the others, and proposes no-ops where that one has
    /// a slot and was not heard of.
    case abandonment(of: Int)
}

extension Event {
    var text: String {
        switch self {
        case .delivery: "hears"
        case .sync: "has written"
        case .campaign: "campaigns"
        case .crash(let keepingState): "crashes" + (keepingState ? ", keeping its state" : "")
        case .wake: "wakes"
        case .submission: "is asked"
        case .repetition: "says it again"
        case .abandonment(let index): "gives up on what \(index + 1) was granted"
        }
    }
}
