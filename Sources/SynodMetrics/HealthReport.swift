import SynodKeyspace
package import SynodNode

/// Whether a member can serve its clients, as etcd's `/health` tells it.
///
/// etcd reads a key for that. Here the member says what it knows: a follower that has lost its
/// leader, and a leader that has lost its majority, notice by themselves within about an election
/// timeout.
package struct HealthReport: Sendable {
    /// What the one who asks does not want to hear of.
    package struct Exclusions: Sendable {
        /// etcd's names of alarms.
        var alarms: [Substring] = []
        /// Whether the member need only answer by itself, so that it does without a leader.
        var isSerializable = false

        /// Reads `exclude=NOSPACE&serializable=true`; what it does not know it passes over.
        package init(query: Substring) {
            for parameter in query.split(separator: "&") {
                let pair = parameter.split(separator: "=", maxSplits: 1)
                guard pair.count == 2 else { continue }
                switch pair[0] {
                case "exclude": alarms.append(pair[1])
                case "serializable": isSerializable = pair[1] == "true"
                default: continue
                }
            }
        }
    }

    /// Empty when the member can serve; never with a character that JSON would escape.
    let reason: String

    package init(_ status: ReplicaStatus, without exclusions: Exclusions) {
        let alarm = status.alarms.first { !exclusions.alarms.contains($0.kind.text[...]) }
        if let alarm {
            reason = "ALARM \(alarm.kind.text)"
        } else if status.leader == 0, !exclusions.isSerializable {
            reason = "RAFT NO LEADER"
        } else if status.lacksState {
            reason = "RANGE ERROR:\(RequestFailure.stateMissing.message)"
        } else {
            reason = ""
        }
    }

    var isHealthy: Bool { reason.isEmpty }

    package var json: String { #"{"health":"\#(isHealthy)","reason":"\#(reason)"}"# }
}
