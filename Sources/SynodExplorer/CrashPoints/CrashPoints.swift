import SynodPaxos

/// Crashes between any two effects of one decision.
///
/// Three replicas decide one command. Everything that any of them does for it, every write, every
/// message, every execution and the answer, is one effect; before each of them, in a run of its
/// own, the replica that is about to do it dies. It starts again, and in the end all must agree and
/// an answered command must be there.
package struct CrashPoints: Sendable {
    /// Runs with a crash.
    package private(set) var points = 0
    package private(set) var failures: [String] = []

    /// What differs between the runs beside the point.
    struct Plan: Sendable {
        /// Whether a client of the leader asks, or one of a follower.
        let asksLeader: Bool
        /// Whether what was not synced happens to survive.
        let keepsUnsynced: Bool
        /// How long the replica is down: too short to be missed, or long enough for another to lead.
        let downtime: Interval
        /// Effects after which it dies.
        let point: Int

        var text: String {
            "point \(point), asked \(asksLeader ? "the leader" : "a follower"), "
                + "\(keepsUnsynced ? "keeps" : "loses") unsynced writes, down for "
                + "\(downtime.nanoseconds / 1_000_000) ms"
        }
    }

    package static func sweep() -> CrashPoints {
        var sweep = CrashPoints()
        for asksLeader in [true, false] {
            for keepsUnsynced in [false, true] {
                for milliseconds in [5, 3000] as [UInt64] {
                    sweep.run(asksLeader, keepsUnsynced, .milliseconds(milliseconds))
                }
            }
        }
        return sweep
    }

    private mutating func run(_ asksLeader: Bool, _ keepsUnsynced: Bool, _ downtime: Interval) {
        var point = 1
        while true {
            let plan = Plan(
                asksLeader: asksLeader, keepsUnsynced: keepsUnsynced, downtime: downtime,
                point: point)
            var run = CrashRun(plan)
            let failure = run.run()
            if let failure { failures.append("\(plan.text): \(failure)") }
            guard run.hasCrashed else { return }
            points += 1
            point += 1
        }
    }
}
