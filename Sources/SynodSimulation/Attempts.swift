import SynodPaxos

/// Counts how often the replicas tried to get what their clients wrote decided.
///
/// To hand a command to the leader is an attempt, and to do it again another one; so is to propose it
/// in a slot of one's own. Neither what a leader does with commands of others nor an entry that is
/// sent again in the same slot is one.
struct Attempts {
    private enum Attempt: Equatable {
        case forwarded(at: Instant)
        case proposed(Ballot, Slot)
    }

    private var attempts: [CommandID: [Attempt]] = [:]

    /// By command, in no order.
    var counts: [UInt64] { attempts.values.map { UInt64($0.count) } }

    /// A replica sends a message. What is sent for a slot that is chosen is no attempt any more.
    mutating func sent(
        _ message: Message, by replica: ReplicaID, at now: Instant, isChosen: (Slot) -> Bool
    ) {
        switch message {
        case .forward(_, _, _, let commands):
            for command in commands { note(.forwarded(at: now), of: command.id, by: replica) }
        case .accept(let ballot, let slot, let entry) where !isChosen(slot):
            entry.forEachCommand { note(.proposed(ballot, slot), of: $0.id, by: replica) }
        default: break
        }
    }

    private mutating func note(_ attempt: Attempt, of id: CommandID, by replica: ReplicaID) {
        guard id.origin == replica, attempts[id]?.contains(attempt) != true else { return }
        attempts[id, default: []].append(attempt)
    }
}
