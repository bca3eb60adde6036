import SynodPaxos

/// The promises that each candidate was given, to judge what it proposes as a leader.
///
/// A leader uses the promises that it has at that time; what comes later is of no account to it. The
/// record is therefore closed with the first proposal of the ballot.
struct PhaseOneRecord {
    private struct Campaign {
        let ballot: Ballot
        /// By slot: the highest that was reported.
        var highest: [Slot: Accepted] = [:]
        /// Who has promised, the candidate itself among them.
        var promisedBy: Set<Int>
        var isClosed = false
    }

    /// By replica: its newest campaign.
    private var campaigns: [Int: Campaign] = [:]

    mutating func prepared(_ ballot: Ballot, by index: Int) {
        campaigns[index] = Campaign(ballot: ballot, promisedBy: [index])
    }

    mutating func forget(_ index: Int) {
        campaigns[index] = nil
    }

    mutating func delivered(_ promise: Promise, from: Int, to: Int) {
        guard let campaign = campaigns[to], campaign.ballot == promise.ballot, !campaign.isClosed
        else { return }
        campaigns[to]?.promisedBy.insert(from)
        for item in promise.accepted {
            let known = campaigns[to]?.highest[item.slot]?.ballot ?? .zero
            if item.accepted.ballot > known { campaigns[to]?.highest[item.slot] = item.accepted }
        }
    }

    /// How many have promised the ballot, as far as its leader has heard; nil if that is not known.
    func promises(for ballot: Ballot) -> Int? {
        guard let campaign = campaigns[Int(ballot.replica.rawValue) - 1],
            campaign.ballot == ballot
        else { return nil }
        return campaign.promisedBy.count
    }

    /// The highest that was reported to the leader of the ballot for a slot; nil for nothing.
    mutating func expected(in slot: Slot, at ballot: Ballot) -> Accepted? {
        let index = Int(ballot.replica.rawValue) - 1
        guard campaigns[index]?.ballot == ballot else { return nil }
        campaigns[index]?.isClosed = true
        return campaigns[index]?.highest[slot]
    }
}
