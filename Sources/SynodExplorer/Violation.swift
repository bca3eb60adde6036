/// What must never be, and was.
package struct Violation: Error, Hashable, Sendable {
    /// The invariants, by what breaking them is called.
    package enum Rule: String, Hashable, Sendable, CaseIterable {
        /// Two entries are chosen in one slot.
        case agreement
        /// A ballot proposes two entries in one slot.
        case ballotUniqueness = "ballot uniqueness"
        /// An acceptor's disk takes a promise back, or accepts below it.
        case promise
        /// A proposal that some quorum may contradict (P2c).
        case safeProposal = "safe proposal"
        /// Something is said before it is durable.
        case durability
        /// What is executed is not what is chosen, or not in order.
        case learning
        /// A command is chosen twice.
        case duplicate
    }

    package let rule: Rule
    package let reason: String
    /// What happened when it showed; nil if it shows only in the state that was reached.
    var event: String?

    init(_ rule: Rule, _ reason: String) {
        self.rule = rule
        self.reason = reason
    }
}
