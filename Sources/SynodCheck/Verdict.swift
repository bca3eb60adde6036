/// What a checker says of a history.
package enum Verdict: Sendable, Hashable {
    /// Some order of the operations explains every answer.
    case valid
    case violation(Violation)
    /// The search was given up. Nothing is proven, so a test counts it as a failure.
    case undecided(String)

    package var isValid: Bool { self == .valid }
}

/// Why no order of the operations explains a history.
package struct Violation: Sendable, Hashable, CustomStringConvertible {
    /// One sentence for people.
    package let description: String
    /// The operations that the sentence is about.
    package let operations: [Operation]

    package init(_ description: String, _ operations: [Operation]) {
        self.description = description
        self.operations = operations
    }
}
