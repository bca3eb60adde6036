import SynodBytes

/// A way to break a cluster, again and again until time is up.
package struct Scenario: Sendable {
    package let name: String
    /// What it does, as the rest of a line.
    package let summary: String
    /// Sizes of clusters for which it makes sense.
    package let sizes: Set<Int>
    /// One member keeps its data on a volume that can be filled, and values are large.
    let needsSmallVolume: Bool
    /// Why it cannot be played on this machine; nil if it can.
    let obstacle: @Sendable () -> String?
    let play: @Sendable (inout Stage) async throws -> Void

    init(
        _ name: String, _ summary: String, sizes: Set<Int> = [3, 5], needsSmallVolume: Bool = false,
        obstacle: @escaping @Sendable () -> String? = { nil },
        play: @escaping @Sendable (inout Stage) async throws -> Void
    ) {
        self.name = name
        self.summary = summary
        self.sizes = sizes
        self.needsSmallVolume = needsSmallVolume
        self.obstacle = obstacle
        self.play = play
    }

    /// All scenarios, in the order in which they are played.
    package static let all = processScenarios + networkScenarios + diskScenarios + [mixed]

    package static func named(_ name: String) -> Scenario? { all.first { $0.name == name } }

    private static let mixed = Scenario(
        "mixed", "a few seconds of another process or network scenario at a time"
    ) { stage in
        let parts = processActs + networkActs
        while !stage.isOver {
            let part = parts[Int(stage.chance.below(UInt64(parts.count)))]
            try await part(&stage)
            stage.cluster.board.heal()
        }
    }
}
