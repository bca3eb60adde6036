import Foundation
import SynodPaxos
import Testing

/// Hundreds of small clusters, each under its own mixture of faults.
///
/// `SYNOD_SEEDS=5000 swift test --filter Swarm` runs more of them, `SYNOD_SEED=17` one alone;
/// `SYNOD_TRACE=1` tells all that happens.
@Suite(.serialized)
struct SwarmTests {
    @Test func anyMixtureOfFaultsKeepsEveryPromise() {
        var failures = 0
        // A core that is broken fails everywhere: a few seeds tell enough.
        for seed in Self.seeds where failures < 3 { failures += keepsItsPromises(seed) ? 0 : 1 }
    }

    private static let environment = ProcessInfo.processInfo.environment

    private static var seeds: [UInt64] {
        if let seed = environment["SYNOD_SEED"].flatMap(UInt64.init) { return [seed] }
        let count = environment["SYNOD_LONG_TESTS"] == nil ? 150 : 10_000
        return Array(1...(environment["SYNOD_SEEDS"].flatMap(UInt64.init) ?? UInt64(count)))
    }

    /// Seeds that found a bug once, or find one that is planted again.
    @Test(
        arguments: [
            ("the lowest accepted ballot adopted", 160),
            ("what is chosen filled with no-ops", 19),
            ("an entry learned at another ballot than was chosen", 28),
            ("an answer to an older question counted for a read", 15),
            ("commands sent again before all that was recovered was executed", 2),
            ("own commands handed over twice", 6),
            ("an entry of a deposed leader chosen after all", 258),
            ("the same, one slot apart", 562),
            ("a read waiting for a slot that never comes", 14),
            ("a stream whose numbers began anew, unknown to the leader", 327),
            ("the same, seen from a follower of five", 426),
            ("a promise that was not on the disk, but a fetched entry of its ballot", 10_510),
            ("an entry learned in the step that installs a state with it", 14_080),
            ("a grant given again to a proposer that had used and forgotten it", 26),
            ("a leader that asked to be woken in the past", 27),
        ] as [(String, UInt64)])
    func regression(bug: String, seed: UInt64) {
        #expect(keepsItsPromises(seed), "\(bug)")
    }

    /// The same seed gives the same run, message for message.
    @Test func aSeedIsAllThereIsToARun() {
        for seed in [3, 5, 8] as [UInt64] {
            var one = Swarm(seed: seed)
            var other = Swarm(seed: seed)
            #expect(one.run() == other.run())
            #expect(one.cluster.digest == other.cluster.digest)
            #expect(one.cluster.steps == other.cluster.steps)
        }
    }

    private func keepsItsPromises(_ seed: UInt64) -> Bool {
        CrashReporter.running(seed)
        var swarm = Swarm(seed: seed)
        if Self.environment["SYNOD_TRACE"] != nil {
            let cluster = swarm.cluster
            cluster.log = { print("\(cluster.clock) \($0)") }
        }
        guard let failure = swarm.run() else { return true }
        Issue.record("SYNOD_SEED=\(seed): \(failure)")
        return false
    }
}
