import SynodPaxos

/// What was proposed and accepted in one slot, over all ballots.
struct SlotRecord {
    struct Proposal {
        let ballot: Ballot
        let entry: Entry
        /// Whose disks hold it, as a set of bits.
        var voters: UInt16 = 0
        /// Granted by the leader of the ballot to somebody else: then no quorum is without the leader.
        var isGranted = false
    }

    /// By rising ballot, few of them.
    private(set) var proposals: [Proposal] = []
    /// Accepted at one ballot by a quorum of disks.
    private(set) var chosen: Entry?
    /// The ballot at which that happened first.
    private(set) var chosenAt: Ballot?

    /// Notes a proposal; false if the ballot has proposed something else here.
    mutating func propose(_ entry: Entry, at ballot: Ballot) -> Bool {
        if let place = proposals.firstIndex(where: { $0.ballot == ballot }) {
            return proposals[place].entry == entry
        }
        let place = proposals.firstIndex { $0.ballot > ballot } ?? proposals.count
        proposals.insert(Proposal(ballot: ballot, entry: entry), at: place)
        return true
    }

    /// The proposal came from another replica than the leader of its ballot.
    mutating func noteGranted(at ballot: Ballot) {
        guard let place = proposals.firstIndex(where: { $0.ballot == ballot }) else { return }
        proposals[place].isGranted = true
    }

    /// A replica's disk holds the proposal of the ballot. False if that makes a second entry chosen.
    mutating func vote(at ballot: Ballot, by index: Int, majority: Int) -> Bool {
        guard let place = proposals.firstIndex(where: { $0.ballot == ballot }) else { return true }
        proposals[place].voters |= 1 << UInt16(index)
        let voters = proposals[place].voters
        guard voters.nonzeroBitCount >= majority else { return true }
        if proposals[place].isGranted {
            guard voters & 1 << UInt16(ballot.replica.rawValue - 1) != 0 else { return true }
        }
        if let chosen { return chosen == proposals[place].entry }
        chosen = proposals[place].entry
        chosenAt = ballot
        return true
    }
}
