import SynodBytes
import SynodPaxos

/// Lets events happen to single replicas: the shell around the core, with every duty of a shell
/// and a look at whether the core made it do something wrong.
struct HostStepper {
    let scope: Scope
    let ledger: Ledger
    /// Changes what a replica wants done before it is done; for tests of the checks.
    let alter: (@Sendable (inout Outbox, Int) -> Void)?

    func take(_ event: Event, _ host: inout Host) throws(Violation) {
        switch event {
        case .delivery(let number):
            let packet = ledger.packet(number)
            let sender = scope.membership.replicas[packet.from]
            try step([.received(packet.message, from: sender)], &host)
        case .sync: try sync(&host)
        case .campaign: try campaign(&host)
        case .crash(let keepingState): try crash(&host, keepingState: keepingState)
        case .wake: try step([], &host)
        case .submission(let sequence):
            let id = CommandID(origin: host.replica.id, sequence: sequence)
            let payload = [UInt8(ascii: "a") + UInt8(host.index), UInt8(sequence)]
            let command = Command(id: id, footprint: .everything, payload: payload)
            try step([.submitted(command, deadline: .distantFuture)], &host)
        }
    }

    /// One step of the core and all it asks for, which is returned.
    @discardableResult
    private func step(_ inputs: [Input], _ host: inout Host) throws(Violation) -> Outbox {
        var outbox = Outbox()
        host.replica.step(inputs, at: host.now, into: &outbox)
        host.level()
        alter?(&outbox, host.index)
        if !outbox.persist.isEmpty {
            var fetched: [Accepted] = []
            if case .received(.fetched(_, let entries, _), _)? = inputs.first { fetched = entries }
            host.disk.write(outbox.persist, as: outbox.ticket, fetched: fetched)
        }
        for envelope in outbox.send {
            if let ticket = envelope.afterTicket, ticket > host.syncedThrough {
                hold(envelope, until: ticket, &host)
            } else {
                try send(envelope.message, to: envelope.to, &host)
            }
        }
        for item in outbox.learned { try execute(item, &host) }
        for fetch in outbox.fetches { try answer(fetch, &host) }
        return outbox
    }

    private func hold(_ envelope: Envelope, until ticket: WriteTicket, _ host: inout Host) {
        // The same message again waits no longer than the first.
        let isHeld = host.held.contains { $0.message == envelope.message && $0.to == envelope.to }
        if isHeld { return }
        // One that would be lost when its time comes.
        if scope.isTerse, case .promise(let promise) = envelope.message,
            promise.ballot == host.answered
        {
            return
        }
        host.held.append(Host.Held(message: envelope.message, to: envelope.to, ticket: ticket))
    }

    func describe(_ event: Event, at index: Int) -> String {
        guard case .delivery(let number) = event else { return "\(index + 1) \(event.text)" }
        let packet = ledger.packet(number)
        return "\(packet.from + 1)→\(packet.to + 1) \(packet.message.text)"
    }

    // MARK: Disk

    private func sync(_ host: inout Host) throws(Violation) {
        let batch = host.disk.nextBatch()
        for write in batch.writes { try record(write, batch.fetched, &host) }
        host.syncedThrough = batch.ticket
        let due = host.held.filter { $0.ticket <= batch.ticket }
        host.held.removeAll { $0.ticket <= batch.ticket }
        for item in due { try send(item.message, to: item.to, &host) }
        try step([.written(through: batch.ticket)], &host)
    }

    private func record(
        _ write: LogWrite, _ fetched: [Accepted], _ host: inout Host
    ) throws(Violation) {
        let promised = host.disk.durable.promised
        switch write {
        case .promised(let ballot):
            if ballot < promised {
                throw Violation(.promise, "a promise of \(promised.text) is taken back")
            }
        case .accepted(let slot, let accepted):
            if fetched.contains(accepted) {
                host.deed.learned |= ledger.mark(Learned(slot: slot, entry: accepted.entry))
            } else if accepted.ballot < promised {
                throw Violation(
                    .promise, "\(accepted.ballot.text) is accepted below \(promised.text)")
            }
            host.votes |= ledger.mark(
                Vote(slot: slot, ballot: accepted.ballot, entry: accepted.entry))
        case .installed: break
        }
        host.disk.durable.apply(write)
    }

    private func crash(_ host: inout Host, keepingState: Bool) throws(Violation) {
        host.disk.crash()
        host.disk.durable.stateThrough =
            keepingState ? host.executedThrough : host.disk.durable.stateThrough
        host.boot += 1
        host.crashes += 1
        host.spentBallots = host.prepared
        if host.crashes == scope.crashes(of: host.index) { host.prepared = [] }
        host.clock = 0
        host.syncedThrough = .zero
        host.held = []
        host.executedThrough = host.disk.durable.stateThrough
        host.replica = Host.start(host.index, scope, host.disk.durable.restored, boot: host.boot)
        host.level()
        if host.replica.promised < host.disk.durable.promised {
            throw Violation(.promise, "a restart forgets \(host.disk.durable.promised.text)")
        }
    }

    // MARK: Campaigning

    /// Lets time pass until it campaigns, and answers its canvass for all others. Whether they
    /// would welcome it is a matter of time limits, so they always do.
    private func campaign(_ host: inout Host) throws(Violation) {
        host.campaigns += 1
        // A leader first steps down and a candidate gives up; then it campaigns anew.
        var round: UInt64?
        var lapses = 0
        while round == nil, lapses < 4 {
            lapses += 1
            host.clock += 1
            round = canvass(in: try step([], &host))
        }
        guard let round else { return }
        for (index, peer) in scope.membership.replicas.enumerated() where index != host.index {
            let answer = Message.canvassed(round: round, leader: nil, chosenThrough: .zero)
            let outbox = try step([.received(answer, from: peer)], &host)
            let hasCampaigned = outbox.trace.contains { event in
                if case .campaigned = event { true } else { false }
            }
            if hasCampaigned { return }
        }
    }

    private func canvass(in outbox: Outbox) -> UInt64? {
        for envelope in outbox.send {
            if case .canvass(let round, _) = envelope.message { return round }
        }
        return nil
    }

    // MARK: Messages

    private func send(
        _ message: Message, to destination: Destination, _ host: inout Host
    ) throws(Violation) {
        guard let message = try inspected(message, &host) else { return }
        if scope.isTerse, addsLittle(message, &host) { return }
        for (index, peer) in scope.membership.replicas.enumerated() where index != host.index {
            if case .replica(let id) = destination, id != peer { continue }
            let number = ledger.number(Packet(message: message, from: host.index, to: index))
            let place = host.deed.sent.firstIndex { $0 >= number } ?? host.deed.sent.endIndex
            if place < host.deed.sent.endIndex, host.deed.sent[place] == number { continue }
            host.deed.sent.insert(number, at: place)
        }
    }

    private func addsLittle(_ message: Message, _ host: inout Host) -> Bool {
        switch message {
        case .promise(let promise):
            if promise.ballot == host.answered { return true }
            host.answered = promise.ballot
            return false
        case .fetched(_, let entries, _): return entries.isEmpty
        default: return false
        }
    }

    /// The message as it goes to the network, or nil if it does not.
    private func inspected(
        _ message: Message, _ host: inout Host
    ) throws(Violation) -> Message? {
        let durable = host.disk.durable
        switch message {
        case .prepare(let ballot, _):
            try require(durable.promised >= ballot, "\(ballot.text) is used", host)
            if host.spentBallots.contains(ballot) {
                throw Violation(.ballotUniqueness, "\(ballot.text) is used again after a restart")
            }
            if host.crashes < scope.crashes(of: host.index), !host.prepared.contains(ballot) {
                host.prepared.append(ballot)
            }
            // An acceptor reports what it has accepted wherever the candidate's chosen prefix ends.
            return .prepare(ballot: ballot, from: Slot(1))
        case .promise(let promise):
            try require(durable.promised >= promise.ballot, "\(promise.ballot.text) promised", host)
        case .accepted(let ballot, let first, let last):
            var slot = max(first, host.executedThrough.next)
            while slot <= last {
                let onDisk = durable.accepted(in: slot)?.ballot ?? .zero
                try require(onDisk >= ballot, "slot \(slot.rawValue) accepted", host)
                slot = slot.next
            }
        case .accept(let ballot, let slot, let entry):
            guard slot.rawValue <= UInt64(scope.slots) else { return nil }
            host.proposed |= ledger.mark(Vote(slot: slot, ballot: ballot, entry: entry))
        // Says the same, and that the leader lives.
        case .heartbeat(let progress): return scope.isTerse ? nil : .chosen(progress)
        case .nack: return scope.hasNacks ? message : nil
        // They matter to time limits only.
        case .canvass, .canvassed, .heard, .unheard: return nil
        default: break
        }
        return message
    }

    private func require(_ isDurable: Bool, _ what: String, _ host: Host) throws(Violation) {
        guard !isDurable else { return }
        throw Violation(.durability, "replica \(host.index + 1): \(what) before it is durable")
    }

    private func answer(_ fetch: Fetch, _ host: inout Host) throws(Violation) {
        let image = host.disk.current
        var entries: [Accepted] = []
        var slot = fetch.from
        while slot <= host.executedThrough, let accepted = image.accepted(in: slot) {
            entries.append(accepted)
            slot = slot.next
        }
        let message = Message.fetched(
            from: fetch.from, entries: entries, chosenThrough: host.executedThrough)
        try send(message, to: .replica(fetch.peer), &host)
    }

    private func execute(_ item: Learned, _ host: inout Host) throws(Violation) {
        guard item.slot == host.executedThrough.next else {
            throw Violation(
                .learning,
                "replica \(host.index + 1) goes from slot \(host.executedThrough.rawValue) to "
                    + "\(item.slot.rawValue)")
        }
        host.executedThrough = item.slot
        host.deed.learned |= ledger.mark(item)
    }
}
