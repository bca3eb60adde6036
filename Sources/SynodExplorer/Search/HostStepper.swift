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
        case .submission(let sequence, let number):
            let id = CommandID(origin: host.replica.id, sequence: sequence)
            let command = Command(
                id: id,
                footprint: scope.keys == 0
                    ? .everything : .key(Footprint.Piece(offset: 0, count: 1)),
                isCertain: true, payload: [UInt8(number % max(1, scope.keys)), UInt8(number)])
            try step([.submitted(command, deadline: .distantFuture)], &host)
        case .repetition: try sayAgain(&host)
        case .abandonment(let index): try abandon(index, &host)
        }
    }

    /// One step of the core and all it asks for, which is returned.
    @discardableResult
    private func step(_ inputs: [Input], _ host: inout Host) throws(Violation) -> Outbox {
        var outbox = Outbox()
        var inputs = inputs
        // Without being told a leader stamps nothing.
        if scope.proposers == .everyone, host.replica.isLeading {
            inputs.append(.executed(host.execution.news))
        }
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
            } else if accepted.ballot
                < max(
                    promised, host.disk.durable.accepted(in: slot)?.ballot ?? .zero)
            {
                throw Violation(
                    .promise, "\(accepted.ballot.text) is accepted too late")
            }
            host.votes |= ledger.mark(
                Vote(slot: slot, ballot: accepted.ballot, entry: accepted.entry))
        case .installed: break
        }
        host.disk.durable.apply(write)
    }

    private func crash(_ host: inout Host, keepingState: Bool) throws(Violation) {
        host.disk.crash()
        if keepingState {
            host.disk.durable.stateThrough = host.execution.through
            host.disk.durable.stateRevision = host.execution.revision
        }
        host.boot += 1
        host.crashes += 1
        host.spentBallots = host.prepared
        if host.crashes == scope.crashes(of: host.index) { host.prepared = [] }
        host.clock = 0
        host.syncedThrough = .zero
        host.held = []
        host.execution = Execution(
            through: host.disk.durable.stateThrough, revision: host.disk.durable.stateRevision)
        host.replica = Host.start(host.index, scope, host.disk.durable.restored, boot: host.boot)
        host.level()
        if host.replica.promised < host.disk.durable.promised {
            throw Violation(.promise, "a restart forgets \(host.disk.durable.promised.text)")
        }
        if scope.asksAgain, scope.commands.contains(host.index) {
            // Above all that an earlier start has used.
            let sequence = host.boot << 8
            let number = scope.commands.count
            try take(.submission(sequence: sequence, number: number), &host)
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

    // MARK: Leading

    /// The entries of other proposers come from the leader, too, when they are overdue; a
    /// connection that is new makes it send them at once. That changes nothing but when it will do
    /// so again: the replica stays as it is, and so does what is proposed at its ballot.
    private func sayAgain(_ host: inout Host) throws(Violation) {
        var woken = host
        try step([], &woken)
        // It has something else to do first.
        guard woken == host else { return }
        var outbox = Outbox()
        woken.replica.step(
            scope.membership.replicas.map { .connected($0) }, at: host.now, into: &outbox)
        for envelope in outbox.send {
            guard case .accept(_, let slot, _) = envelope.message, isReplicated(slot) else {
                continue
            }
            post(envelope.message, to: envelope.to, &host)
        }
    }

    /// As when the connection to the other breaks. Without an open grant nothing happens.
    private func abandon(_ index: Int, _ host: inout Host) throws(Violation) {
        var next = host
        let outbox = try step([.disconnected(scope.membership.replicas[index])], &next)
        let hasAbandoned = outbox.trace.contains { event in
            if case .abandoned = event { true } else { false }
        }
        guard hasAbandoned else { return }
        next.abandonments += 1
        host = next
    }

    // MARK: Messages

    private func send(
        _ message: Message, to destination: Destination, _ host: inout Host
    ) throws(Violation) {
        guard let message = try inspected(message, &host) else { return }
        if scope.isTerse, addsLittle(message, &host) { return }
        post(message, to: destination, &host)
    }

    private func post(_ message: Message, to destination: Destination, _ host: inout Host) {
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
            guard isReplicated(slot) else { return nil }
            host.proposed |= ledger.mark(Vote(slot: slot, ballot: ballot, entry: entry))
        case .grant(_, _, _, let slot, _): return isReplicated(slot) ? message : nil
        // Says the same, and that the leader lives.
        case .heartbeat(let progress): return scope.isTerse ? nil : .chosen(progress)
        case .nack: return scope.hasNacks ? message : nil
        // They matter to time limits only.
        case .canvass, .canvassed, .heard, .unheard: return nil
        default: break
        }
        return message
    }

    private func isReplicated(_ slot: Slot) -> Bool { slot.rawValue <= UInt64(scope.slots) }

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
        if let objection = host.execution.execute(item) {
            throw Violation(.learning, "replica \(host.index + 1) " + objection)
        }
        host.deed.learned |= ledger.mark(Learned(slot: item.slot, entry: item.entry))
    }
}
