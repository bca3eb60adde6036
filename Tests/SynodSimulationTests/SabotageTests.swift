import SynodSimulation
import Testing

/// The checks see what a wrong shell does around a node that is right.
struct SabotageTests {
    private func find(_ sabotage: Sabotage, profile: Profile = .swarm) -> Failure? {
        for seed in 1...40 as ClosedRange<UInt64> {
            var options = RunOptions(seed: seed, profile: profile)
            options.sabotage = sabotage
            if let failure = Simulation(options).execute().failure { return failure }
        }
        return nil
    }

    @Test func sendingBeforeItIsDurable() {
        #expect(find(.sendsBeforeDurable)?.kind == .safety)
    }

    @Test func forgettingWhatWasDurable() {
        #expect(find(.forgetsDurableWrites, profile: .amnesia)?.kind == .safety)
    }

    /// What clients saw tells, though no replica did anything that it must not.
    @Test func readingWhatMayBeOld() {
        let failure = find(.readsLocally)
        #expect(failure?.kind == .safety)
        #expect(failure?.invariant == "I7")
    }

    @Test func talkingToAReplicaThatLostItsDisk() {
        #expect(find(.ignoresRefusals, profile: .amnesia)?.kind == .safety)
    }

    @Test func answeringTwice() {
        #expect(find(.answersTwice)?.invariant == "I12")
    }

    @Test func notAnswering() {
        #expect(find(.losesAnswers)?.kind == .liveness)
    }

    /// A gap that no answer ends is a gap.
    @Test func followingALeaderWhoAnswersNobody() {
        let failure = find(.fallsSilent, profile: .duel)
        #expect(failure?.kind == .liveness)
        #expect(failure?.message.hasPrefix("nobody was answered for") == true)
    }

    @Test func denyingWhatWasWritten() {
        #expect(find(.deniesWrites)?.kind == .safety)
    }

    /// Nobody reads what such a client has written, and the log tells all the same.
    @Test func denyingWhatNobodyReads() {
        #expect(find(.deniesWrites, profile: .brief)?.invariant == "I12")
    }
}
