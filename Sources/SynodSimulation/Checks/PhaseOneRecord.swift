import SynodPaxos

/// The promises that each candidate was given, to judge what it proposes as a leader.
///
/// A leader uses the promises that it has at that time; what comes later is of no account to it. The
/// record is therefore closed with the first proposal of the ballot.
struct PhaseOneRecord {
    private struct Campaign {
        let ballot: Ballot
        var promises: [Promise] = []
        var isClosed = false
    }

    /// By replica: its newest campaign.
    private var campaigns: [Int: Campaign] = [:]

    mutating func prepared(_ ballot: Ballot, by index: Int) {
        campaigns[index] = Campaign(ballot: ballot)
    }

    mutating func forget(_ index: Int) {
        campaigns[index] = nil
    }

    mutating func delivered(_ promise: Promise, from: Int, to: Int) {
        guard let campaign = campaigns[to], campaign.ballot == promise.ballot, !campaign.isClosed
        else { return }
        campaigns[to]?.promises.append(promise)
    }

    /// The highest that was reported to the leader of the ballot for a slot; nil for nothing.
    mutating func expected(in slot: Slot, at ballot: Ballot) -> Accepted? {
        let index = Int(ballot.replica.rawValue) - 1
        guard let campaign = campaigns[index], campaign.ballot == ballot else { return nil }
        campaigns[index]?.isClosed = true
        var highest: Accepted?
        for promise in campaign.promises {
            for item in promise.accepted where item.slot == slot {
                if item.accepted.ballot > highest?.ballot ?? .zero { highest = item.accepted }
            }
        }
        return highest
    }
}
