import SynodPaxos

/// What a replica's disk holds durably of its word, kept beside the disk by the oracle.
struct DiskShadow {
    var promised = Ballot.zero
    /// By slot, from 1: the highest ballot accepted.
    private var ballots: [Ballot] = []

    mutating func accept(_ slot: Slot, _ ballot: Ballot) {
        while UInt64(ballots.count) < slot.rawValue { ballots.append(.zero) }
        ballots[Int(slot.rawValue) - 1] = max(ballots[Int(slot.rawValue) - 1], ballot)
    }

    func accepted(in slot: Slot) -> Ballot {
        slot.rawValue <= UInt64(ballots.count) ? ballots[Int(slot.rawValue) - 1] : .zero
    }
}
