/// A member's alarm, in force for the whole cluster until it is disarmed.
package struct Alarm: Hashable, Comparable, Sendable, CustomStringConvertible {
    package enum Kind: Int32, Sendable {
        /// The space quota is used up: what needs space is refused.
        case noSpace = 1
        /// Replicas disagree: every request about keys is refused.
        case corrupt = 2

        /// etcd's name.
        package var text: String {
            switch self {
            case .noSpace: "NOSPACE"
            case .corrupt: "CORRUPT"
            }
        }
    }

    package let memberID: UInt64
    package let kind: Kind

    package init(memberID: UInt64, kind: Kind) {
        self.memberID = memberID
        self.kind = kind
    }

    package static func < (left: Alarm, right: Alarm) -> Bool {
        (left.kind.rawValue, left.memberID) < (right.kind.rawValue, right.memberID)
    }

    /// As etcd's Status lists it among the errors, the space at the end included.
    package var description: String {
        "memberID:\(memberID) alarm:\(kind.text) "
    }
}
