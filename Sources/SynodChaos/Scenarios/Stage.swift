import SynodBytes

/// What a scenario works with while it breaks things.
package struct Stage: Sendable {
    let cluster: ChaosCluster
    let recorder: Recorder
    /// The volume of the member that lives on a small one, in scenarios that ask for it.
    let volume: (member: ChaosMember, volume: SmallVolume)?
    var chance: PRNG
    /// When to stop breaking things.
    let deadline: ContinuousClock.Instant
    /// How often each fault was injected.
    private(set) var fired: [String: Int] = [:]
    /// What was found wrong on the way, one sentence each.
    private(set) var violations: [String] = []

    init(
        cluster: ChaosCluster, recorder: Recorder,
        volume: (member: ChaosMember, volume: SmallVolume)?, chance: PRNG,
        deadline: ContinuousClock.Instant
    ) {
        self.cluster = cluster
        self.recorder = recorder
        self.volume = volume
        self.chance = chance
        self.deadline = deadline
    }

    var isOver: Bool { ContinuousClock.now >= deadline || Task.isCancelled }

    mutating func count(_ fault: String, _ times: Int = 1) { fired[fault, default: 0] += times }

    mutating func complain(_ sentence: String) { violations.append(sentence) }

    /// Lets the cluster be for a time drawn from the range, or until the scenario is over.
    mutating func wait(milliseconds range: ClosedRange<Int64>) async throws {
        let end = ContinuousClock.now + .milliseconds(chance.within(range))
        try await Task.sleep(until: min(end, deadline))
    }

    mutating func anyMember() -> ChaosMember {
        cluster.members[Int(chance.below(UInt64(cluster.size)))]
    }

    /// The leader half of the time, or anybody.
    mutating func leaderOrAny() async -> ChaosMember {
        if chance.chance(1, in: 2), let leader = await cluster.leader() { return leader }
        return anyMember()
    }

    /// So many different members.
    mutating func anyMembers(_ count: Int) -> [ChaosMember] {
        var rest = cluster.members
        return (0..<count).map { _ in rest.remove(at: Int(chance.below(UInt64(rest.count)))) }
    }

    /// Does the same to every link that passes the predicate.
    func set(_ fault: LinkFault, where isChosen: (Link) -> Bool = { _ in true }) {
        for from in cluster.members.indices {
            for to in cluster.members.indices where from != to {
                let link = Link(from: from, to: to)
                if isChosen(link) { cluster.board.set(fault, on: link) }
            }
        }
    }
}
