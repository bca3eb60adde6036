import SynodPaxos

// Values in the words of the traces.

extension Ballot {
    var text: String { "\(round).\(replica.rawValue)" + (attempt > 0 ? "'" : "") }
}

extension Entry {
    var text: String {
        guard !isNoop else { return "no-op" }
        return "[" + commands.map { "\($0.origin.rawValue):\($0.sequence)" }.joined(separator: " ")
            + "]" + (isStamped ? "s" : "")
    }
}

extension SlotAccepted {
    var text: String { "\(slot.rawValue)=\(accepted.entry.text)@\(accepted.ballot.text)" }
}

extension Message {
    var text: String {
        switch self {
        case .prepare(let ballot, _): "prepare \(ballot.text)"
        case .promise(let promise):
            "promise \(promise.ballot.text), chosen through \(promise.chosenThrough.rawValue), "
                + "accepted " + promise.accepted.map(\.text).joined(separator: " ")
        case .nack(let ballot): "nack \(ballot.text)"
        case .accept(let ballot, let slot, let entry):
            "accept \(slot.rawValue)=\(entry.text)@\(ballot.text)"
        case .accepted(let ballot, let first, let last):
            "accepted \(first.rawValue)...\(last.rawValue)@\(ballot.text)"
        case .chosen(let progress):
            "chosen through \(progress.chosenThrough.rawValue) by \(progress.ballot.text)"
        case .fetch(let slot): "fetch from \(slot.rawValue)"
        case .fetched(let slot, let entries, let through):
            "fetched \(entries.count) from \(slot.rawValue), chosen through \(through.rawValue)"
        case .forward(let ballot, _, let position, let commands):
            "forward \(commands.count) from \(position) to \(ballot.text)"
        case .grantRequest(let ballot, let boot, let batches):
            "request of \(ballot.text) for batches \(batches.map(\.number)) of start \(boot >> 32)"
        case .grant(let ballot, let boot, let batch, let slot, _):
            "grant of \(slot.rawValue)@\(ballot.text) for batch \(batch) of start \(boot >> 32)"
        default: "\(self)"
        }
    }
}
