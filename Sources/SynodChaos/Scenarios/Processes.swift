import SynodBytes

extension Scenario {
    /// What can happen to processes, once each.
    static let processActs: [@Sendable (inout Stage) async throws -> Void] = [
        killOne, killLeader, killSeveral, stopOne,
    ]

    static let processScenarios = [
        Scenario("kill-one", "SIGKILL to one member after another", play: repeated(killOne)),
        Scenario("kill-leader", "SIGKILL to whoever leads", play: repeated(killLeader)),
        Scenario(
            "kill-many", "SIGKILL to one to all members at the same moment",
            play: repeated(killSeveral)),
        Scenario(
            "stop", "SIGSTOP to the leader or another for 0.1 to 3 s", play: repeated(stopOne)),
    ]

    static func repeated(
        _ act: @escaping @Sendable (inout Stage) async throws -> Void
    ) -> @Sendable (inout Stage) async throws -> Void {
        { stage in
            while !stage.isOver { try await act(&stage) }
        }
    }

    private static let killOne: @Sendable (inout Stage) async throws -> Void = { stage in
        try await killAndRestart([stage.anyMember()], &stage)
    }

    private static let killLeader: @Sendable (inout Stage) async throws -> Void = { stage in
        guard let leader = await stage.cluster.leader() else {
            return try await stage.wait(milliseconds: 20...50)
        }
        try await killAndRestart([leader], &stage)
    }

    private static let killSeveral: @Sendable (inout Stage) async throws -> Void = { stage in
        let count = Int(stage.chance.within(1...Int64(stage.cluster.size)))
        try await killAndRestart(stage.anyMembers(count), &stage)
    }

    private static func killAndRestart(
        _ victims: [ChaosMember], _ stage: inout Stage
    ) async throws {
        for victim in victims { victim.expectEnd() }
        for victim in victims { victim.signal(9) }
        for victim in victims { await victim.kill() }
        stage.count("members killed", victims.count)
        try await stage.wait(milliseconds: 0...800)
        for victim in victims { try victim.start() }
        for victim in victims {
            try await stage.cluster.waitUntilServing(victim, within: .seconds(30))
        }
        try await stage.wait(milliseconds: 200...700)
    }

    private static let stopOne: @Sendable (inout Stage) async throws -> Void = { stage in
        let victim = await stage.leaderOrAny()
        victim.pause()
        stage.count("members stopped")
        try await stage.wait(milliseconds: 100...3000)
        victim.resume()
        try await stage.wait(milliseconds: 200...1000)
    }
}
