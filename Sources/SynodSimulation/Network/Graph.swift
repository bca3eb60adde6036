/// Who still hears whom under partial connectivity; the first three are those of *Omni-Paxos*
/// (EuroSys 2023, §2).
package enum Graph: String, CaseIterable, Sendable {
    /// Everybody is connected to the centre only, the old leader with it.
    case quorumLoss = "quorum-loss"
    /// As quorum loss, but the old leader is gone altogether.
    case constrained
    /// Everybody in a row.
    case chained
    /// All but one direction of one link.
    case asymmetric
    /// Each hears its neighbours in a ring, so that each sees another majority.
    case ring = "majorities-ring"
    /// Two halves that only the centre connects.
    case bridge

    /// Whether messages go from one replica to another.
    func connects(_ from: Int, _ to: Int, count: Int, centre: Int, other: Int) -> Bool {
        func shifted(_ index: Int) -> Int { (index - centre + count) % count }
        let (one, two) = (shifted(from), shifted(to))
        switch self {
        case .quorumLoss: return one == 0 || two == 0
        case .constrained: return from != other && to != other && (one == 0 || two == 0)
        case .chained: return abs(one - two) == 1
        case .asymmetric: return from != centre || to != other
        case .ring:
            let distance = min((one - two + count) % count, (two - one + count) % count)
            return distance <= max(1, (count / 2 + 1) / 2)
        case .bridge: return one == 0 || two == 0 || (one <= count / 2) == (two <= count / 2)
        }
    }
}
