package import SynodPaxos

/// What names a run: the same options give the same run, event for event.
package struct RunOptions: Sendable, Hashable {
    package var seed: UInt64
    package var profile = Profile.swarm
    /// Nil: drawn from the seed.
    package var replicas: Int?
    /// Who proposes; nil: drawn from the seed, for each replica alone in some runs.
    package var proposers: ProposerPolicy?
    /// Whether commands are executed by key; else in the order of slots, to compare.
    package var executesByKey = true
    /// Faults that are left out although the seed has drawn them.
    package var without: [FaultID] = []
    /// How many clients there are; nil: drawn.
    package var clients: Int?
    /// How many requests clients make before the cluster has to come to rest; nil: drawn.
    package var operations: Int?
    /// How many seconds of virtual time the faults last at most; nil: drawn.
    package var seconds: UInt64?
    /// Breaks the shell around the nodes, to show that the checks see it.
    package var sabotage: Sabotage?

    package init(seed: UInt64, profile: Profile = .swarm) {
        self.seed = seed
        self.profile = profile
    }

    /// Whether the run is the profile's own: a target is a target for that, and not for any number of
    /// clients and replicas whatsoever.
    var leavesProfileAsItIs: Bool { replicas == nil && proposers == nil && clients == nil }

    /// The command that repeats the run.
    package var command: String {
        var words = ["synod sim", "--seed \(seed)"]
        if profile != .swarm { words.append("--profile \(profile.rawValue)") }
        if let replicas { words.append("--replicas \(replicas)") }
        if let proposers { words.append("--proposers \(proposers.rawValue)") }
        if !executesByKey { words.append("--by-slot") }
        if !without.isEmpty {
            words.append("--without \(without.sorted().map(\.rawValue).joined(separator: ","))")
        }
        if let clients { words.append("--clients \(clients)") }
        if let operations { words.append("--operations \(operations)") }
        if let seconds { words.append("--seconds \(seconds)") }
        return words.joined(separator: " ")
    }
}

/// Ways in which a shell can be wrong around a node that is right.
package enum Sabotage: String, CaseIterable, Sendable {
    /// Says that a batch is durable when it is only handed to the disk.
    case sendsBeforeDurable
    /// A restart finds less than was durable, and nobody is told.
    case forgetsDurableWrites
    /// Talks to peers that the roster refused.
    case ignoresRefusals
    /// Serves linearizable reads from the state as it is.
    case readsLocally
    /// Drops every tenth answer to a client.
    case losesAnswers
    /// Delivers an answer twice.
    case answersTwice
    /// Drops all answers but the first hundred.
    case fallsSilent
    /// Says of the seventh of ten writes that it was refused.
    case deniesWrites
}
