/// How often this replica is to fail on purpose: for every message that its acceptor or its learner
/// handles, independently.
package struct FaultPlan: Sendable, Equatable {
    /// Out of a million.
    package let acceptorPerMillion: UInt64
    package let learnerPerMillion: UInt64
    /// What fails, and when, follows from it, from the number of this start and from the messages.
    package let seed: UInt64

    /// Reads `acceptor=5%,learner=0.5%`; a role that is not named does not fail.
    package init(parsing text: String, seed: UInt64) throws(ConfigurationError) {
        var shares: [String: UInt64] = [:]
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let sides = part.split(separator: "=", maxSplits: 1)
            guard sides.count == 2, ["acceptor", "learner"].contains(sides[0]),
                sides[1].hasSuffix("%"),
                sides[1].dropLast().allSatisfy("0123456789.".contains),
                let share = Double(sides[1].dropLast()), (0...100).contains(share),
                shares[String(sides[0])] == nil
            else {
                throw ConfigurationError(
                    "'\(part)' is not acceptor=PERCENT% or learner=PERCENT%, each at most once.")
            }
            shares[String(sides[0])] = UInt64((share * 10_000).rounded())
        }
        acceptorPerMillion = shares["acceptor"] ?? 0
        learnerPerMillion = shares["learner"] ?? 0
        self.seed = seed
    }
}
