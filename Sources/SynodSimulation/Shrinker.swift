/// Looks for a smaller run that fails in the same way, that is in the same class and by the same
/// invariant: fewer faults, shorter, fewer requests, fewer replicas.
package struct Shrinker {
    /// How a run ended.
    package struct Ending: Hashable, Sendable {
        /// Zero, or the class of the failure.
        package let code: Int32
        /// Of a failure that a check has found.
        package let invariant: String?

        package init(code: Int32, invariant: String?) {
            self.code = code
            self.invariant = invariant
        }
    }

    private var options: RunOptions
    /// Makes a run.
    private let attempt: (RunOptions) throws -> Ending
    private let tell: (String) -> Void

    package init(
        _ options: RunOptions, tell: @escaping (String) -> Void,
        attempt: @escaping (RunOptions) throws -> Ending
    ) {
        self.options = options
        self.tell = tell
        self.attempt = attempt
    }

    /// Returns how the smallest run ended.
    package mutating func run() throws -> Ending {
        let ending = try attempt(options)
        guard ending.code != 0 else {
            tell("the run does not fail: \(options.command)")
            return ending
        }
        let first = Simulation.outline(of: options)
        for fault in first.faults where !options.without.contains(fault) {
            var candidate = options
            candidate.without.append(fault)
            try keep(candidate, ifItEndsWith: ending)
        }
        if options.profile.usesSeconds {
            try lower(from: Int(first.seconds), ending) { $0.seconds = UInt64($1) }
        }
        if options.profile.usesOperations {
            try lower(from: first.operations, ending) { $0.operations = $1 }
        }
        let fewest = options.profile.fewestReplicas
        for count in fewest..<max(first.replicas, fewest) {
            var candidate = options
            candidate.replicas = count
            if try keep(candidate, ifItEndsWith: ending) { break }
        }
        tell("smallest: \(options.command)")
        return ending
    }

    /// Halves a number for as long as the run still fails.
    private mutating func lower(
        from start: Int, _ ending: Ending, _ set: (inout RunOptions, Int) -> Void
    ) throws {
        var number = start / 2
        while number > 0 {
            var candidate = options
            set(&candidate, number)
            guard try keep(candidate, ifItEndsWith: ending) else { return }
            number /= 2
        }
    }

    @discardableResult
    private mutating func keep(
        _ candidate: RunOptions, ifItEndsWith ending: Ending
    ) throws -> Bool {
        guard try attempt(candidate) == ending else { return false }
        options = candidate
        tell("still fails: \(options.command)")
        return true
    }
}
