import Foundation
import SynodPaxos
import Testing

/// Hundreds of small clusters, each under its own mixture of faults.
///
/// `SYNOD_SEEDS=5000 swift test --filter Swarm` runs more of them, `SYNOD_SEED=17` one alone, with
/// `SYNOD_TRACE=1` telling all that happens in it.
@Suite(.serialized)
struct SwarmTests {
    @Test func anyMixtureOfFaultsKeepsEveryPromise() {
        let environment = ProcessInfo.processInfo.environment
        let seeds: [UInt64]
        if let seed = environment["SYNOD_SEED"].flatMap(UInt64.init) {
            seeds = [seed]
        } else {
            seeds = Array(1...(environment["SYNOD_SEEDS"].flatMap(UInt64.init) ?? 150))
        }
        for seed in seeds { check(seed, of: seeds.count) }
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

    private func check(_ seed: UInt64, of seeds: Int) {
        CrashReporter.running(seed)
        var swarm = Swarm(seed: seed)
        if seeds == 1, ProcessInfo.processInfo.environment["SYNOD_TRACE"] != nil {
            let cluster = swarm.cluster
            cluster.log = { print("\(cluster.clock) \($0)") }
        }
        if let failure = swarm.run() {
            Issue.record("SYNOD_SEED=\(seed): \(failure)")
        }
    }
}
