import SynodPaxos

// What transcripts and failures call things.

extension Ballot {
    /// `round.replica`.
    var summary: String { "\(round).\(replica.rawValue)" }
}

extension Entry {
    /// The payloads in brackets, as text; an empty bracket is a no-op.
    var summary: String {
        var payloads: [String] = []
        forEachCommand { payloads.append(String(decoding: $0.payload, as: UTF8.self)) }
        return "[\(payloads.joined(separator: " "))]"
    }
}

extension Progress {
    var summary: String {
        "\(ballot.summary) chosen through \(chosenThrough.rawValue), recovered through "
            + "\(recoveredThrough.rawValue)"
    }
}

/// What the slots hold; where several in a row hold the same, once.
private func runs(_ items: [(slot: UInt64, what: String)]) -> String {
    var text = ""
    var index = 0
    while index < items.count {
        var last = index
        while last + 1 < items.count, items[last + 1].what == items[index].what,
            items[last + 1].slot == items[last].slot + 1
        {
            last += 1
        }
        let through = last > index ? "...\(items[last].slot)" : ""
        text += " \(items[index].slot)\(through)=\(items[index].what)"
        index = last + 1
    }
    return text
}

extension Message {
    var summary: String {
        switch self {
        case .canvass(let round, let isUnserved):
            return "canvass round \(round)" + (isUnserved ? ", unserved" : "")
        case .canvassed(let round, let leader, _):
            return "canvassed round \(round): "
                + (leader.map { "hears the leader of \($0.ballot.summary)" } ?? "welcome")
        case .prepare(let ballot, let from):
            return "prepare \(ballot.summary) from \(from.rawValue)"
        case .promise(let promise):
            let accepted = runs(
                promise.accepted.map {
                    ($0.slot.rawValue, "\($0.accepted.entry.summary)@\($0.accepted.ballot.summary)")
                })
            return "promise \(promise.ballot.summary), chosen through "
                + "\(promise.chosenThrough.rawValue), accepted:"
                + (accepted.isEmpty ? " nothing" : accepted)
        case .nack(let ballot): return "nack, promised \(ballot.summary)"
        case .accept(let ballot, let slot, let entry):
            return "accept \(ballot.summary) \(slot.rawValue)=\(entry.summary)"
        case .accepted(let ballot, let first, let last):
            return "accepted \(ballot.summary) \(first.rawValue)...\(last.rawValue)"
        case .chosen(let progress): return "chosen: \(progress.summary)"
        case .heartbeat(let progress): return "heartbeat: \(progress.summary)"
        case .heard(let ballot): return "heard \(ballot.summary)"
        case .grantRequest(let ballot, _, let batches):
            let numbers = batches.map { "\($0.number)" }.joined(separator: ", ")
            return "asks \(ballot.summary) for slots for batches \(numbers)"
        case .grant(let ballot, _, let batch, let slot, _):
            return "\(ballot.summary) grants \(slot.rawValue) for \(batch)"
        case .unheard(let ballot): return "\(ballot.summary) hears nothing of you"
        case .forward(let ballot, _, let position, let commands):
            let entry = Entry(commands).summary
            return "forward to \(ballot.summary) from position \(position): \(entry)"
        case .readQuery: return "readQuery"
        case .readReply(_, let through, let conflicts):
            let slots = conflicts.map { ", \($0.read) waits for \($0.slot.rawValue)" }
            return "readReply: through \(through.rawValue)\(slots.joined())"
        case .fetch(let from): return "fetch from \(from.rawValue)"
        case .fetched(let from, let entries, let through):
            let list = runs(
                entries.enumerated().map { (from.rawValue + UInt64($0), $1.entry.summary) })
            return "fetched\(list), chosen through \(through.rawValue)"
        case .truncated(let first): return "truncated below \(first.rawValue)"
        }
    }
}

extension LogWrite {
    var summary: String {
        switch self {
        case .promised(let ballot): "promised \(ballot.summary)"
        case .accepted(let slot, let accepted):
            "accepted \(slot.rawValue)=\(accepted.entry.summary)@\(accepted.ballot.summary)"
        case .installed(let slot): "installed through \(slot.rawValue)"
        }
    }
}

extension TraceEvent {
    var summary: String {
        switch self {
        case .suspected(let connectionLost):
            "suspects the leader: \(connectionLost ? "connection lost" : "silence")"
        case .abandoned(let slot): "abandons slot \(slot.rawValue)"
        case .unserved(let ballot): "is not served by \(ballot.summary)"
        case .campaigned(let ballot): "campaigns with \(ballot.summary)"
        case .backedOff(let ballot, _): "backs off from \(ballot.summary)"
        case .lead(let ballot, let through):
            "leads \(ballot.summary), recovering through \(through.rawValue)"
        case .steppedDown(let ballot, .higherBallot(let higher)):
            "steps down from \(ballot.summary): promised \(higher.summary)"
        case .steppedDown(let ballot, .majorityUnheard):
            "steps down from \(ballot.summary): hears no majority"
        case .followed(let ballot): "follows \(ballot.summary)"
        case .caughtUp(let slot): "fetches from \(slot.rawValue)"
        }
    }
}
