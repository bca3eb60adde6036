import DequeModule
package import SynodBytes
import SynodKeyspace
package import SynodPaxos
package import SynodStorage

/// One replica as a whole: consensus, keyspace and stores joined into a machine that is driven by
/// events and says what must be done. It reads its stores itself, leaves slow and synced writes
/// to its driver, and knows no clock, thread, socket or chance: a simulator can drive it as well
/// as the server does.
package struct Node<Log: Store, State: Store> {
    let configuration: NodeConfiguration
    let log: Log
    /// Makes an empty state store beside the one in use, for a state that comes from a peer, and
    /// numbers it.
    let makeState: () throws(StorageError) -> (number: UInt64, store: State)

    var replica: Replica
    var keyspace: Keyspace<State>
    /// What is executed, and at which revisions.
    var order: RevisionOrder
    var state: State
    var stateNumber: UInt64
    var roster: PeerRoster
    var keeper: LogKeeper
    /// Starts of this replica, this one included.
    package let boot: UInt64

    /// Writes of clients here, by the sequence of their command.
    var writes: PendingRequests<RequestToken>
    var reads: PendingRequests<PendingRead>
    /// Reads whose turn has come; those that have expired meanwhile among them.
    var runnable: Deque<ReleasedRead> = []
    private var held: [HeldMessage] = []
    private var heldVerdicts: [(batch: UInt64, connection: ConnectionID, peer: ReplicaID)] = []
    var compactionWaiters: [(token: RequestToken, response: Bytes)] = []
    var receiver: SnapshotReceiver<State>?
    var senders: [(peer: ReplicaID, sender: SnapshotSender<State.View>)] = []
    /// The number of the last state that was asked for here.
    var lastTransfer: UInt64

    /// The core's last writes.
    private var coreTicket = WriteTicket.zero
    /// Counts the batches for the log store.
    private var batches: UInt64 = 0
    private var batchedBytes = 0
    /// The newest batch that is durable.
    private var written = LogTicket(number: 0, core: .zero, chosenThrough: .zero, bytes: 0)
    /// Slots whose chosen entries are in the state; what the log has there is perhaps not chosen.
    let unsure: ClosedRange<Slot>?
    /// Of each peer one that asks for what is chosen and not in the log store yet.
    var heldFetches: [Fetch] = []
    private var outbox = Outbox()
    var inputs: [Input] = []
    var isSpaceLow = false
    /// What the keyspace takes up, asked of its store only now and then.
    var storedBytes: UInt64
    private var measureAt: Instant

    /// Reads what the stores hold, executes what the log has beyond the state, and records that
    /// this replica has started once more.
    ///
    /// - Parameters:
    ///   - state: the state store of the number ``LogSchema/currentState(in:)``.
    ///   - seed: drawn by the shell at this start.
    package init(
        _ configuration: NodeConfiguration, log: Log, state: State, seed: UInt64, now: Instant,
        makeState: @escaping () throws(StorageError) -> (number: UInt64, store: State)
    ) throws(StorageError) {
        self.configuration = configuration
        self.log = log
        self.state = state
        self.makeState = makeState
        stateNumber = try LogSchema.currentState(in: log)
        boot = (try LogSchema.readNumber(LogSchema.bootKey, in: log) ?? 0) + 1
        var batch = WriteBatch()
        batch.put(LogSchema.bootKey, LogSchema.number(boot))
        var history = try LogSchema.readHistory(in: log)
        history.append(boot: boot, session: configuration.session)
        batch.put(LogSchema.historyKey, LogSchema.encode(history))
        try log.write(batch, durability: .synced)

        var keyspace = try Keyspace(store: state)
        var order = RevisionOrder(keyspace)
        let recovery = try Self.recover(
            &keyspace, &order, from: log, isAlone: configuration.membership.count == 1)
        self.keyspace = keyspace
        self.order = order
        unsure = recovery.unsure
        storedBytes = keyspace.totalBytes
        measureAt = now
        keeper = LogKeeper(
            snapshotCount: configuration.snapshotCount, firstRetained: recovery.firstRetained,
            flushedThrough: recovery.flushedThrough)
        replica = Replica(
            id: configuration.identity, membership: configuration.membership,
            timing: configuration.timing, restored: recovery.restored, boot: boot, seed: seed,
            proposers: configuration.proposers, now: now)
        let own = Identity(
            cluster: configuration.cluster, replica: configuration.identity,
            incarnation: configuration.incarnation, boot: boot, session: configuration.session)
        roster = try PeerRoster(
            own: own, history: history, clientURLs: configuration.clientURLs,
            membership: configuration.membership,
            store: log)
        writes = PendingRequests(firstNumber: boot << 40 | 1)
        reads = PendingRequests(firstNumber: 1)
        lastTransfer = boot << 40
    }

    private static func isPhysicalCompaction(_ payload: ArraySlice<UInt8>) -> Bool {
        guard payload.first == SynodKeyspace.Command.Tag.compaction.rawValue,
            case .compaction(let request)? = try? SynodKeyspace.Command(payload)
        else { return false }
        return request.isPhysical
    }

    /// What this replica says first on a stream to a peer.
    package func hello(to peer: ReplicaID) -> Bytes { roster.hello(to: peer) }

    /// The state store in use.
    package var stateStore: State { state }

    /// The numbers of the state stores in use: the present one, and one that is being received.
    package var statesInUse: [UInt64] { [stateNumber] + (receiver.map { [$0.number] } ?? []) }

    /// Whether a leader is known, so that clients are served.
    package var isReady: Bool { replica.leader != nil && !replica.lacksState }

    /// The log store holds every chosen entry through here: batches on their way to it, that of the
    /// present step included, may still have to replace what was accepted at an older ballot.
    func servableThrough(_ output: NodeOutput) -> Slot {
        let isWritten = written.number == batches && output.logBatch.isEmpty
        return isWritten ? replica.chosenThrough : written.chosenThrough
    }

    // MARK: The step

    /// Takes what has happened and says what must be done.
    package mutating func step(_ events: [NodeEvent], at now: Instant) throws(StorageError)
        -> NodeOutput
    {
        var output = NodeOutput()
        inputs.removeAll(keepingCapacity: true)
        // The leader hands out slots on top of what it has executed.
        if replica.isLeading && configuration.executesByKey {
            inputs.append(.executed(order.executed))
        }
        for event in events { try take(event, now, &output) }
        keepTime(now, &output)
        replica.step(inputs, at: now, into: &outbox)
        try obey(&output)
        try finish(now, &output)
        return output
    }

    private mutating func take(
        _ event: NodeEvent, _ now: Instant, _ output: inout NodeOutput
    ) throws(StorageError) {
        switch event {
        case .requested(let requests):
            for request in requests { try requested(request, now, &output) }
        case .received(let messages, let peer):
            for message in messages { try received(message, from: peer, now, &output) }
        case .greeted(let connection, let hello):
            greeted(connection, hello, &output)
        case .streamOpened(let peer, let reply):
            output.fatal =
                output.fatal
                ?? roster.contradiction(
                    in: reply, from: peer, promised: replica.promised,
                    highestSlot: replica.highestSlot)
            inputs.append(.connected(peer))
        case .streamLost(let peer):
            inputs.append(.disconnected(peer))
        case .written(let ticket):
            inputs.append(.written(through: ticket.core))
            release(through: ticket, &output)
        case .stateFlushed(let slot):
            guard let through = keeper.flushed(through: slot) else { return }
            output.logBatch.deleteRange(
                from: LogSchema.entryKey(.zero), to: LogSchema.entryKey(through.next))
        case .spaceChanged(let isLow):
            isSpaceLow = isLow
        }
    }

    private mutating func received(
        _ encoded: Bytes, from peer: ReplicaID, _ now: Instant, _ output: inout NodeOutput
    ) throws(StorageError) {
        if NodeMessage.isForeign(encoded) {
            guard let message = try? NodeMessage(encoded: encoded) else { return }
            return try transferred(message, from: peer, now, &output)
        }
        // What a peer of another version says beyond our understanding counts as lost.
        guard let message = try? Message(encoded: encoded) else { return }
        switch message {
        case .accept, .fetched:
            // The disk does not keep up: what would pile up in front of it counts as lost.
            guard batchedBytes - written.bytes < NodeLimits.unwrittenBytes else { return }
            if case .accept(let ballot, let slot, let entry) = message, ballot >= replica.promised,
                slot <= servableThrough(output)
            {
                try refuseChange(of: slot, to: entry, at: ballot, from: peer, &output)
            }
        default: break
        }
        try startTransferIfNeeded(message, from: peer, now, &output)
        roster.witnessed(message, by: peer, at: now)
        inputs.append(.received(message, from: peer))
    }

    private mutating func greeted(
        _ connection: ConnectionID, _ hello: Bytes, _ output: inout NodeOutput
    ) {
        switch roster.received(hello) {
        case .known(let peer):
            guard let waiting = heldVerdicts.last(where: { $0.peer == peer }) else {
                output.verdicts.append((connection, .accept(peer, reply: roster.reply(to: peer))))
                return
            }
            heldVerdicts.append((waiting.batch, connection, peer))
        case .remember(let peer, let key, let value):
            output.logBatch.put(key, value)
            heldVerdicts.append((batches + 1, connection, peer))
        case .refused(let reason):
            output.verdicts.append((connection, .refuse(reason)))
        }
    }

    /// Lets go what waited for the disk.
    private mutating func release(through ticket: LogTicket, _ output: inout NodeOutput) {
        written = ticket
        var count = 0
        for item in held {
            guard item.ticket <= ticket.core else { break }
            dispatch(item.message, to: item.destination, &output)
            count += 1
        }
        held.removeFirst(count)
        heldVerdicts.removeAll { item in
            guard item.batch <= ticket.number else { return false }
            output.verdicts.append(
                (item.connection, .accept(item.peer, reply: roster.reply(to: item.peer))))
            return true
        }
    }

    private func dispatch(
        _ message: Bytes, to destination: Destination, _ output: inout NodeOutput
    ) {
        switch destination {
        case .replica(let peer): output.send(message, to: peer)
        case .others:
            for peer in configuration.membership.replicas where peer != configuration.identity {
                output.send(message, to: peer)
            }
        }
    }

    /// Does what the core asked for, in the order of its outbox.
    private mutating func obey(_ output: inout NodeOutput) throws(StorageError) {
        defer { outbox.removeAll() }
        LogSchema.append(outbox.persist, to: &output.logBatch)
        keeper.logged(bytes: output.logBatch.byteCount)
        for envelope in outbox.send {
            let message = envelope.message.encoded
            if let ticket = envelope.afterTicket, ticket > written.core {
                held.append(
                    HeldMessage(ticket: ticket, destination: envelope.to, message: message))
            } else {
                dispatch(message, to: envelope.to, &output)
            }
        }
        try execute(outbox.learned, &output)
        runnable.append(contentsOf: outbox.readable)
        try runReads(&output)
        try serveFetches(outbox.fetches, &output)
        coreTicket = outbox.ticket
        output.learned = outbox.learned
        output.trace = outbox.trace
        output.wakeAt = outbox.wakeAt
    }

    /// Executes what was handed out; the clients of this replica get their answers.
    private mutating func execute(_ learned: [Learned], _ output: inout NodeOutput)
        throws(StorageError)
    {
        // What was learned before a state was installed in the same step may be in that state.
        let executedBefore = order.executedThrough
        let header = responseHeader
        var order = self.order
        self.order = RevisionOrder()  // The other is the only copy, so that it is not copied.
        for item in learned where item.slot > executedBefore {
            try order.execute(item) { (command, revision) throws(StorageError) in
                try execute(command, after: revision, header, &output)
            }
            if let skipped = order.skipped { output.skipped.append(skipped) }
        }
        self.order = order
        if order.executedThrough > executedBefore { try keyspace.commit(order) }
    }

    /// True if the command has changed something.
    private mutating func execute(
        _ command: EntryCommand, after revision: Int64, _ header: ResponseHeader,
        _ output: inout NodeOutput
    ) throws(StorageError) -> Bool {
        let id = command.id
        let token = id.origin == configuration.identity ? writes.remove(id.sequence) : nil
        let applied = try keyspace.apply(
            command.payload, after: revision, header: token == nil ? nil : header)
        guard let token, let result = applied.result else { return applied.hasChanged }
        if case .success(let response) = result, Self.isPhysicalCompaction(command.payload) {
            compactionWaiters.append((token, response))
        } else {
            output.answer(token, result)
        }
        return applied.hasChanged
    }

    /// What is left to do when everything else of the step is done.
    private mutating func finish(_ now: Instant, _ output: inout NodeOutput) throws(StorageError) {
        if try !keyspace.compactStep(budget: NodeLimits.compactionBudget) {
            output.wakeAt = now
        } else {
            for waiter in compactionWaiters {
                output.answer(waiter.token, .message(waiter.response))
            }
            compactionWaiters.removeAll()
        }
        let isWitnessDue = roster.unwrittenSince.map { now >= $0 + NodeLimits.witnessPatience }
        if isWitnessDue == true || !output.logBatch.isEmpty {
            roster.writeWitnesses(to: &output.logBatch)
            // Lags behind what is known, which is safe: whoever starts again learns the rest.
            output.logBatch.put(
                LogSchema.chosenKey, LogSchema.number(replica.chosenThrough.rawValue))
            batches += 1
            batchedBytes += output.logBatch.byteCount
            output.ticket = LogTicket(
                number: batches, core: coreTicket, chosenThrough: replica.chosenThrough,
                bytes: batchedBytes)
        }
        if !runnable.isEmpty { output.wakeAt = now }
        output.flushThrough = keeper.flushDue(appliedThrough: Slot(keyspace.appliedThrough))
        output.wakeAt = min(output.wakeAt, writes.deadline, reads.deadline)
        if let since = roster.unwrittenSince {
            output.wakeAt = min(output.wakeAt, since + NodeLimits.witnessPatience)
        }
        if let receiver { output.wakeAt = min(output.wakeAt, receiver.repeatAt) }
    }

    private mutating func keepTime(_ now: Instant, _ output: inout NodeOutput) {
        if now >= measureAt {
            storedBytes = keyspace.totalBytes
            measureAt = now + NodeLimits.measureInterval
        }
        let timeout = Answer.Content.failure(.timedOut)
        #if SYNOD_PLANTED_BUGS
            if PlantedBug.reportsUnknownAsRefused.isActive {
                writes.removeExpired(now) { output.answer($0, .failure(.tooManyRequests)) }
            }
        #endif
        writes.removeExpired(now) { output.answer($0, timeout) }
        reads.removeExpired(now) { output.answer($0.token, timeout) }
        // Asked first: what the store's type decides is slow to touch, and mostly there is nothing.
        if !senders.isEmpty {
            senders.removeAll { now.since($0.sender.askedAt) > NodeLimits.snapshotIdle }
        }
        guard var receiver = self.receiver else { return }
        if now >= receiver.deadline {
            abandonTransfer(&output)
        } else if now >= receiver.repeatAt {
            receiver.repeated(now)
            output.send(receiver.request.encoded, to: receiver.peer)
            self.receiver = receiver
        }
    }
}

// Outside of the node, because what is nested in a generic type is generic itself, and slow.

/// A read that waits until it may run.
struct PendingRead: Sendable {
    let token: RequestToken
    let body: ClientRequest.Body
}

/// A message that waits for a write.
private struct HeldMessage {
    let ticket: WriteTicket
    let destination: Destination
    let message: Bytes
}
