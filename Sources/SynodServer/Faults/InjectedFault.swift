import SynodPaxos

/// A way to fail at one message. The names go into the log, where `synod cluster` counts them.
enum InjectedFault: String, CaseIterable {
    /// The message is lost before anybody sees it.
    case requestDropped = "request-dropped"
    /// The message is handled, and what that writes is durable; the reply is lost.
    case replyDropped = "reply-dropped"
    /// The process dies before the message is handled.
    case crashBefore = "crash-before"
    /// The process dies when what the message writes is durable, before the reply leaves.
    case crashAfter = "crash-after"
    /// The reply, or the handling where there is none, comes one to five election timeouts late.
    case stall
    /// The process dies, and what it has learned with it: see ``StateWipe``.
    case stateWiped = "state-wiped"
}

extension InjectedFault {
    /// Whether the process dies of it.
    var isFatal: Bool {
        switch self {
        case .crashBefore, .crashAfter, .stateWiped: true
        case .requestDropped, .replyDropped, .stall: false
        }
    }
}

/// What a message asks of the role that handles it, as far as faults care.
struct FaultTarget {
    enum Role { case acceptor, learner }

    let role: Role
    /// Recognizes the reply; nil when there is none.
    let isReply: (@Sendable (Message) -> Bool)?

    /// Nil for messages to the other roles: a proposer's losses are those of the network.
    init?(_ message: Message) {
        switch message {
        case .prepare(let ballot, _):
            self.init(.acceptor) {
                switch $0 {
                case .promise(let promise): promise.ballot == ballot
                case .nack(let promised): promised > ballot
                default: false
                }
            }
        case .accept(let ballot, let slot, _):
            self.init(.acceptor) {
                switch $0 {
                case .accepted(ballot, let first, let last): first <= slot && slot <= last
                case .nack(let promised): promised > ballot
                default: false
                }
            }
        case .readQuery(let round, _):
            self.init(.acceptor) { if case .readReply(round, _, _) = $0 { true } else { false } }
        case .heartbeat(let progress):
            self.init(.learner) { if case .heard(progress.ballot) = $0 { true } else { false } }
        case .fetch:
            self.init(.learner) {
                switch $0 {
                case .fetched, .truncated: true
                default: false
                }
            }
        case .chosen, .fetched:
            self.init(.learner, isReply: nil)
        case .canvass, .canvassed, .promise, .nack, .accepted, .heard, .unheard, .forward,
            .grantRequest, .grant, .readReply, .truncated:
            return nil
        }
    }

    private init(_ role: Role, isReply: (@Sendable (Message) -> Bool)?) {
        self.role = role
        self.isReply = isReply
    }

    /// What can go wrong with it, all of it equally likely.
    var faults: [InjectedFault] {
        InjectedFault.allCases.filter { fault in
            switch fault {
            case .requestDropped, .crashBefore, .stall: true
            case .replyDropped, .crashAfter: isReply != nil
            case .stateWiped: role == .learner
            }
        }
    }
}
