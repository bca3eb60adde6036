import Foundation
import SynodPaxos
import SynodSimulation
import Testing

/// Some seeds of every profile. `SYNOD_LONG_TESTS=1` runs more; `synod sim` runs any number.
struct SweepTests {
    private static let isLong = ProcessInfo.processInfo.environment["SYNOD_LONG_TESTS"] != nil

    @Test func swarmsKeepEveryPromise() {
        for seed in 1...(Self.isLong ? 5_000 : 60) as ClosedRange<UInt64> {
            expectNoFailure(RunOptions(seed: seed))
        }
    }

    @Test(arguments: [Profile.amnesia, .powercut, .slowdisk])
    func disksMayDoWhatTheyDo(profile: Profile) {
        for seed in 1...(Self.isLong ? 500 : 10) as ClosedRange<UInt64> {
            expectNoFailure(RunOptions(seed: seed, profile: profile))
        }
    }

    @Test(arguments: 3...9)
    func somebodyGoesOnOnEveryGraph(replicas: Int) {
        for seed in 1...(Self.isLong ? 50 : 2) as ClosedRange<UInt64> {
            var options = RunOptions(seed: seed, profile: .partial)
            options.replicas = replicas
            expectNoFailure(options)
        }
    }

    /// With two replicas, where each failure of the other one costs a round, that is a telling number.
    @Test(arguments: [2, 3, 9])
    func failuresAtEveryTwentiethMessageCostFewRounds(replicas: Int) throws {
        var options = RunOptions(seed: 1, profile: .brief)
        options.replicas = replicas
        let report = expectNoFailure(options)
        #expect(report.answered >= 200)
        let ratio = report.figures.first { $0.name == "measured to theory, phase 2" }
        let value = try #require(ratio?.results.first?.value)
        #expect((0.9...1.1).contains(value))
    }

    /// The virtual time that the profile lasts at most follows from the requests. With two replicas the
    /// same disk and link fail again and again, so that it lasts longest.
    @Test func manyRequestsAreNoFailure() {
        var options = RunOptions(seed: 1, profile: .brief)
        options.replicas = 2
        options.operations = Self.isLong ? 10_000 : 2_500
        #expect(expectNoFailure(options).virtualTime > .milliseconds(20_000_000))
    }

    @Test func anInterruptedRunTellsWhatItHas() {
        var questions = 0
        let simulation = Simulation(
            RunOptions(seed: 1, profile: .brief),
            isInterrupted: {
                questions += 1
                return questions == 10
            })
        let report = simulation.execute()
        #expect(report.failure?.kind == .interruption)
        #expect(questions == 10 && report.events == 2560)
        #expect(!report.figures.isEmpty)
    }

    @Test(arguments: [2, 9])
    func manyCandidatesAgreeSoon(replicas: Int) {
        var options = RunOptions(seed: 1, profile: .duel)
        options.replicas = replicas
        expectNoFailure(options)
    }

    /// As the profile draws them, with 4 clients and with 16: with other settings nothing is demanded.
    @Test(arguments: [3, 6])
    func oneKeyIsWrittenAsFastAsMany(seed: UInt64) {
        expectNoFailure(RunOptions(seed: seed, profile: .contention))
    }

    /// Busy ones, and quiet ones, who leave the leader time to wait.
    @Test(arguments: [1, 4])
    func aStoppedProposerHoldsUpItsKeysOnly(seed: UInt64) {
        expectNoFailure(RunOptions(seed: seed, profile: .stopped))
    }

    @Test func executionByKeyIsNoSlowerThanBySlot() {
        expectNoFailure(RunOptions(seed: 1, profile: .mixed))
    }

    /// Seeds that found a bug once, in the node or in the simulator itself.
    @Test(
        arguments: [
            ("a core member that does not reach the leader outside of the core", 1, .partial),
            ("a transfer of a state that began anew with every repeated request", 4948, .swarm),
            (
                "a leader whose every answer is lost, asked again and again for entries", 2862,
                .swarm
            ),
            ("a core member whom the leader outside of the core does not hear", 2053, .swarm),
            ("what an older disk still holds, unknown to the oracle", 10_088, .swarm),
            ("words of a refused replica, which nobody hears, held against it", 10_071, .swarm),
            ("a deposed leader's late proposal, taken for a change of what is chosen", 157, .swarm),
            (
                "an introduction to a suspended peer, taken for that of the newest start", 9718,
                .swarm
            ),
            ("a leader outside of the core whose link passes every second packet", 202_289, .swarm),
            ("a leader outside of the core who does not hear, and cannot say so", 202_555, .swarm),
            ("a leader outside of the core whose proposals crawl", 209_569, .swarm),
            ("a question in step with what filled the leader's inbox", 11_004_029, .swarm),
            ("a leader who repeated itself a minute later only", 11_003_923, .swarm),
            ("two who asked for a way to a slow leader all the time", 12_004_792, .swarm),
            ("copies of a part that kept a dead transfer alive", 203_460, .swarm),
            (
                "a history with more overlapping reads than the search could try out", 202_463,
                .swarm
            ),
            ("a promise that had arrived and was not read, held against a leader", 211_012, .swarm),
            ("a state in many small parts over a slow link", 302_048, .swarm),
            ("a state in parts over a link that loses half of them", 506_577, .swarm),
            ("a replica without its state that answers for what is chosen", 503_551, .swarm),
            ("the vote of a replica that nobody listens to", 517_533, .swarm),
            ("a replica that gave up all ways to the leader for ever", 409_913, .swarm),
            ("a grant that came when its slot was decided", 1003, .swarm),
            ("the only way to the leader, given up for ever", 2_003_741, .swarm),
            ("a state in small parts that took a second each", 2_006_740, .swarm),
            ("a read that missed a write below one that was answered", 3_002_485, .swarm),
            ("an entry served from the log in the step that replaces it", 5_008_603, .swarm),
            ("a lost state that came back on an older disk", 7_001_752, .swarm),
            ("another's disk, which had lost a state", 8_003_946, .swarm),
            ("an older disk that had lost a state", 9_002_338, .swarm),
            ("a read that took the no-op of a few for what is chosen", 2, .revived),
            ("the same, of a key that was changed before", 8, .revived),
            ("candidates that interrupted each other for twelve seconds", 50, .swarm),
            ("a clock that went back when a machine fell asleep while it was slow", 342, .swarm),
            ("a clock that went back when a sleeping machine was healed", 503, .swarm),
            ("a replica without its state that answers for a slot it knows", 527_756, .swarm),
            ("the end of a run before the slots that it left out were known", 100_048, .swarm),
            ("an empty answer to who asked for what was being written", 700_008, .duel),
            ("old entries of the log, served under a state that is ahead", 9_403_524, .swarm),
            ("a copy of an answer to a read of an earlier start", 9_409_984, .swarm),
            ("a promise to who had lost what it was to learn", 9_405_898, .swarm),
            ("a link that was given 64 messages and carries two", 9_500_240, .swarm),
            ("a leader that was lost and found again all the time", 9_511_894, .swarm),
            ("copies of what a leader of before had said", 9_510_583, .swarm),
            ("a majority that could not learn what its leader knew", 9_700_534, .swarm),
            ("a member that was behind and deposed its leader again and again", 9_909_212, .swarm),
        ] as [(String, UInt64, Profile)])
    func regression(bug: String, seed: UInt64, profile: Profile) {
        #expect(expectNoFailure(RunOptions(seed: seed, profile: profile)).failure == nil, "\(bug)")
    }

    @discardableResult
    private func expectNoFailure(_ options: RunOptions) -> Report {
        let report = Simulation(options).execute()
        if let failure = report.failure {
            Issue.record("\(options.command): \(failure.invariant) \(failure.message)")
        }
        return report
    }
}
