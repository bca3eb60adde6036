/// Why a run is wrong.
package struct Failure: Hashable, Sendable {
    /// What kind of promise was broken; the number is the exit code of `synod sim`.
    package enum Kind: Int32, Hashable, Sendable {
        /// The process trapped: no value of this kind is ever made, the trap itself tells.
        case crash = 127
        /// Something that must end did not.
        case liveness = 128
        /// Something happened that must never.
        case safety = 129
        /// Nothing is known to be wrong: whoever made the run wanted no more of it.
        case interruption = 130
    }

    package let kind: Kind
    /// The invariant of the catalogue, as "I1"; of an interruption, who interrupted.
    package let invariant: String
    package let message: String
}
