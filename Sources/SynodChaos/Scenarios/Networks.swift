import SynodBytes

extension Scenario {
    /// What can happen to the network, once each.
    static let networkActs: [@Sendable (inout Stage) async throws -> Void] = [
        partition, oneWay, ring, delay, loss, resets, corruption,
    ]

    static let networkScenarios = [
        Scenario(
            "partition", "a minority, often with the leader, is cut off in both directions",
            play: repeated(partition)),
        Scenario(
            "one-way",
            "what a member says, or what it hears, is lost; or one link in one direction",
            play: repeated(oneWay)),
        Scenario(
            "ring", "every member reaches only its two neighbours", sizes: [5],
            play: repeated(ring)),
        Scenario("delay", "25 to 125 ms on every link", play: repeated(delay)),
        Scenario("loss", "10 to 50 % of the frames are lost", play: repeated(loss)),
        Scenario("reset", "connections are reset", play: repeated(resets)),
        Scenario("corruption", "one bit of some frames is wrong", play: repeated(corruption)),
    ]

    private static let partition: @Sendable (inout Stage) async throws -> Void = { stage in
        let first = await stage.leaderOrAny().index
        var away: Set<Int> = [first]
        if stage.cluster.tolerated > 1, stage.chance.chance(1, in: 2) {
            away.insert(stage.anyMember().index)
        }
        let fault = stage.chance.chance(1, in: 2) ? LinkFault.silent : .severed
        stage.set(fault) { away.contains($0.from) != away.contains($0.to) }
        stage.count("partitions")
        try await healAfter(500...3000, &stage)
    }

    private static let oneWay: @Sendable (inout Stage) async throws -> Void = { stage in
        let victim = await stage.leaderOrAny().index
        let peer = (victim + 1) % stage.cluster.size
        switch stage.chance.below(3) {
        case 0: stage.set(.silent) { $0.from == victim }
        case 1: stage.set(.silent) { $0.to == victim }
        default: stage.set(.silent) { $0.from == victim && $0.to == peer }
        }
        stage.count("one-way cuts")
        try await healAfter(500...3000, &stage)
    }

    private static let ring: @Sendable (inout Stage) async throws -> Void = { stage in
        let order = stage.anyMembers(stage.cluster.size).map(\.index)
        let count = order.count
        var neighbours: Set<Link> = []
        for (place, index) in order.enumerated() {
            let next = order[(place + 1) % count]
            neighbours.formUnion([Link(from: index, to: next), Link(from: next, to: index)])
        }
        stage.set(stage.chance.chance(1, in: 2) ? .silent : .severed) { !neighbours.contains($0) }
        stage.count("rings")
        try await healAfter(1000...3000, &stage)
    }

    private static let delay: @Sendable (inout Stage) async throws -> Void = { stage in
        stage.set(LinkFault(delayMilliseconds: 25...125))
        stage.count("spells of delay")
        try await healAfter(1000...3000, &stage)
    }

    private static let loss: @Sendable (inout Stage) async throws -> Void = { stage in
        stage.set(LinkFault(lossPermille: UInt64(stage.chance.within(100...500))))
        stage.count("spells of loss")
        try await healAfter(500...2000, &stage)
    }

    private static let resets: @Sendable (inout Stage) async throws -> Void = { stage in
        let victim = await stage.leaderOrAny().index
        switch stage.chance.below(3) {
        case 0: stage.cluster.board.reset { _ in true }
        case 1: stage.cluster.board.reset { $0.from == victim || $0.to == victim }
        default: stage.cluster.board.reset { $0.from == victim }
        }
        try await stage.wait(milliseconds: 50...700)
    }

    private static let corruption: @Sendable (inout Stage) async throws -> Void = { stage in
        stage.set(LinkFault(corruptionPermille: UInt64(stage.chance.within(5...50))))
        stage.count("spells of corruption")
        try await healAfter(300...1500, &stage)
    }

    private static func healAfter(
        _ milliseconds: ClosedRange<Int64>, _ stage: inout Stage
    ) async throws {
        try await stage.wait(milliseconds: milliseconds)
        stage.cluster.board.heal()
        try await stage.wait(milliseconds: 300...1500)
    }
}
