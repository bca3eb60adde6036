import SynodBytes
import SynodNode
import SynodPaxos

/// The transcript in words.
extension Simulation {
    func summary(_ packet: Packet) -> String {
        (packet.isReplay ? "again " : "") + summary(packet.messages)
    }

    func summary(_ messages: [Bytes]) -> String {
        messages.map { (try? Message(encoded: $0))?.text ?? "a part of a state" }
            .joined(separator: "; ")
    }

    func tell(_ event: TraceEvent, of host: Host) {
        switch event {
        case .abandoned(let slot): note("\(host.name) abandons slot \(slot.rawValue)")
        case .unserved(let ballot): note("\(host.name) is not served by \(ballot.text)")
        case .suspected(let isLost):
            note("\(host.name) suspects the leader: " + (isLost ? "its stream broke" : "silence"))
        case .campaigned(let ballot): note("\(host.name) asks for promises of \(ballot.text)")
        case .backedOff(let ballot, let span):
            note("\(host.name) gives \(ballot.text) up and waits \(span.text)")
        case .lead(let ballot, let slot):
            note("\(host.name) leads with \(ballot.text), recovered through \(slot.rawValue)")
        case .steppedDown(let ballot, let reason):
            let because =
                switch reason {
                case .higherBallot(let higher): "\(higher.text) was promised"
                case .majorityUnheard: "no majority answers"
                }
            note("\(host.name) no longer leads with \(ballot.text): \(because)")
        case .followed(let ballot): note("\(host.name) follows \(ballot.text)")
        case .caughtUp(let slot): note("\(host.name) misses slot \(slot.rawValue)")
        }
    }
}

extension Message {
    fileprivate var text: String {
        switch self {
        case .canvass(let round, let isUnserved):
            "canvass for round \(round)" + (isUnserved ? ", unserved" : "")
        case .canvassed(let round, nil, _): "round \(round) is welcome"
        case .canvassed(let round, let leader?, _):
            "round \(round) is unwelcome, \(leader.ballot.text) leads"
        case .prepare(let ballot, let slot): "prepare \(ballot.text) from \(slot.rawValue)"
        case .promise(let promise):
            "promise \(promise.ballot.text), chosen through \(promise.chosenThrough.rawValue), "
                + "accepted \(promise.accepted.count) above"
        case .nack(let ballot): "nack: \(ballot.text) is promised"
        case .accept(let ballot, let slot, let entry):
            "accept \(ballot.text) in \(slot.rawValue)" + (entry.isNoop ? ": no-op" : "")
        case .accepted(let ballot, let first, let last):
            "accepted \(ballot.text) in \(first.rawValue)…\(last.rawValue)"
        case .chosen(let progress), .heartbeat(let progress):
            "\(progress.ballot.text) has chosen through \(progress.chosenThrough.rawValue)"
        case .heard(let ballot): "\(ballot.text) is heard"
        case .grantRequest(let ballot, _, let batches):
            "asks \(ballot.text) for slots for batches "
                + batches.map { "\($0.number)" }.joined(separator: ", ")
        case .grant(let ballot, _, let batch, let slot, _):
            "\(ballot.text) grants slot \(slot.rawValue) for batch \(batch)"
        case .unheard(let ballot): "\(ballot.text) hears nothing of you"
        case .forward(let ballot, _, let position, let commands):
            "\(commands.count) commands from \(position) for \(ballot.text)"
        case .readQuery(let round, let scopes): "\(scopes.count) reads in round \(round)?"
        case .readReply(let round, let through, let conflicts):
            "round \(round): through \(through.rawValue), \(conflicts.count) reads wait for more"
        case .fetch(let slot): "fetch from \(slot.rawValue)"
        case .fetched(let slot, let entries, _):
            "\(entries.count) entries from \(slot.rawValue)"
        case .truncated(let slot): "log begins at \(slot.rawValue)"
        }
    }
}
