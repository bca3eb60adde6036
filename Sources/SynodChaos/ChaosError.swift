/// Why a run could not be carried out or what it found, in one sentence.
package struct ChaosError: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
