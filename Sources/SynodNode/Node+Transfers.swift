import SynodBytes
import SynodKeyspace
import SynodPaxos
import SynodStorage

/// Helping replicas that fell behind, and catching up oneself.
extension Node {
    /// Answers those who ask for chosen entries: at once, or as soon as the log store has what they ask
    /// for first. An empty answer would have them ask others after a while only.
    mutating func serveFetches(_ fetches: [Fetch], _ output: inout NodeOutput)
        throws(StorageError)
    {
        guard !fetches.isEmpty || !heldFetches.isEmpty else { return }
        let through = servableThrough(output)
        let waiting = heldFetches.filter { held in !fetches.contains { $0.peer == held.peer } }
        heldFetches = []
        for fetch in waiting + fetches {
            if fetch.from > through, fetch.from <= replica.chosenThrough {
                heldFetches.removeAll { $0.peer == fetch.peer }
                heldFetches.append(fetch)
            } else if let answer = try fetched(fetch, through: through) {
                output.send(answer.encoded, to: fetch.peer)
            }
        }
    }

    /// Chosen entries for a peer, as many as fit a message; nil if there is neither an entry nor a
    /// state to be had here.
    /// - Parameter through: how far the log store holds what is chosen.
    private func fetched(_ fetch: Fetch, through: Slot) throws(StorageError) -> Message? {
        var through = through
        if let unsure, fetch.from <= unsure.upperBound, through >= unsure.lowerBound {
            guard fetch.from < unsure.lowerBound else {
                return replica.lacksState
                    ? nil : .truncated(firstRetained: unsure.upperBound.next)
            }
            through = Slot(unsure.lowerBound.rawValue - 1)
        }
        guard fetch.from >= keeper.firstRetained else {
            return replica.lacksState ? nil : .truncated(firstRetained: keeper.firstRetained)
        }
        var entries: [Accepted] = []
        var bytes = 0
        var next = fetch.from
        try LogSchema.scanEntries(from: fetch.from, in: log) { item in
            guard item.slot == next, item.slot <= through else { return false }
            entries.append(item.accepted)
            bytes += item.accepted.entry.encoded.count
            next = next.next
            return bytes < SynodPaxos.Limits.burstBytes
        }
        guard !entries.isEmpty || fetch.from > through else {
            // A crash took entries that the state holds already: the state will do.
            return replica.lacksState ? nil : .truncated(firstRetained: through.next)
        }
        return .fetched(from: fetch.from, entries: entries, chosenThrough: through)
    }

    /// A ballot at least as high as the one at which the entry of a slot was chosen can only propose
    /// that entry again (P2c of *Paxos Made Simple*). Another one means that members have forgotten
    /// what they accepted: this one keeps what it has, and says so, instead of helping to choose a
    /// second entry. A lower ballot is a deposed leader's, whose words may come late.
    func refuseChange(
        of slot: Slot, to entry: Entry, at ballot: Ballot, from peer: ReplicaID,
        _ output: inout NodeOutput
    ) throws(StorageError) {
        var chosen: Accepted?
        try LogSchema.scanEntries(from: slot, in: log) { item in
            if item.slot == slot { chosen = item.accepted }
            return false
        }
        guard let chosen, chosen.entry != entry, ballot >= chosen.ballot, output.fatal == nil else {
            return
        }
        output.fatal =
            "member \(String(peer.rawValue, radix: 16)) proposes another entry for slot "
            + "\(slot.rawValue) than the one that was chosen: some member runs on an older copy of "
            + "its data directory; this member stops and keeps what it has. Compare 'etcdctl "
            + "endpoint hashkv' of all members, and replace those that lack acknowledged writes"
    }

    /// Asks for the state of a peer whose log no longer reaches back to what this replica misses,
    /// or who is far enough while this replica has none.
    mutating func startTransferIfNeeded(
        _ message: Message, from peer: ReplicaID, _ now: Instant, _ output: inout NodeOutput
    ) throws(StorageError) {
        guard receiver == nil else { return }
        // A state that was installed in this very step counts.
        var appliedThrough: Slot { Slot(keyspace.appliedThrough) }
        var lacksState: Bool { replica.lacksState && appliedThrough < replica.chosenThrough }
        switch message {
        case .truncated(let firstRetained)
        where firstRetained > max(replica.chosenThrough, appliedThrough).next: break
        // A leader that is heard need not hear this replica.
        case .heartbeat(let progress)
        where lacksState && progress.chosenThrough >= replica.chosenThrough
            && replica.nextHop == peer:
            break
        case .canvassed(_, _, let chosenThrough)
        where lacksState && chosenThrough >= replica.chosenThrough: break
        default: return
        }
        let (number, store) = try makeState()
        lastTransfer += 1
        let receiver = SnapshotReceiver(
            from: peer, transfer: lastTransfer, into: store, number: number, now: now)
        output.send(receiver.request.encoded, to: peer)
        self.receiver = receiver
    }

    mutating func transferred(
        _ message: NodeMessage, from peer: ReplicaID, _ now: Instant, _ output: inout NodeOutput
    ) throws(StorageError) {
        switch message {
        case .snapshotRequest(let transfer, let index):
            try serve(transfer, index, to: peer, now, &output)
        case .snapshotChunk(let chunk):
            guard var receiver = self.receiver, receiver.peer == peer else { return }
            let outcome = try receiver.received(chunk, now: now)
            self.receiver = receiver
            switch outcome {
            case .ignored: break
            case .more:
                inputs.append(.partReceived)
                output.send(receiver.request.encoded, to: peer)
            case .damaged: abandonTransfer(&output)
            case .complete(let through): try install(receiver, through: through, &output)
            }
        }
    }

    private mutating func serve(
        _ transfer: UInt64, _ index: UInt64, to peer: ReplicaID, _ now: Instant,
        _ output: inout NodeOutput
    ) throws(StorageError) {
        guard !replica.lacksState else { return }
        let isNew = senders.allSatisfy { $0.peer != peer || $0.sender.transfer < transfer }
        if index == 0, isNew {
            senders.removeAll { $0.peer == peer }
            senders.append(
                (
                    peer,
                    SnapshotSender(
                        transfer: transfer, view: state.view(),
                        through: Slot(keyspace.appliedThrough),
                        chunkBytes: configuration.chunkBytes, now: now)
                ))
        }
        guard
            let place = senders.firstIndex(where: {
                $0.peer == peer && $0.sender.transfer == transfer
            })
        else { return }
        for chunk in try senders[place].sender.chunks(from: index, now: now) {
            output.send(NodeMessage.snapshotChunk(chunk).encoded, to: peer)
        }
    }

    /// Forgets the transfer, and its store unless that becomes the one in use.
    mutating func abandonTransfer(_ output: inout NodeOutput) {
        receiver = nil
        output.hasStaleStates = true
    }

    /// Puts a complete state in the place of the own one. The record of which store is in use
    /// goes to the log with the position, in one batch; until that is durable, a restart finds
    /// the old state and catches up again.
    private mutating func install(
        _ receiver: SnapshotReceiver<State>, through: Slot, _ output: inout NodeOutput
    ) throws(StorageError) {
        abandonTransfer(&output)
        guard isWanted(through) else { return }
        let keyspace: Keyspace<State>
        do {
            keyspace = try Keyspace(store: receiver.store)
        } catch  where error.kind == .corrupt {
            // The sender's fault, not this disk's: another replica may do better.
            return
        }
        guard keyspace.appliedThrough == through.rawValue else { return }
        // They may rest on what is executed ahead, which is not in the other state.
        try runReads(until: .max, &output)
        self.keyspace = keyspace
        order = RevisionOrder(keyspace)
        state = receiver.store
        stateNumber = receiver.number
        senders.removeAll()
        keeper.installed(through: through)
        output.logBatch.put(LogSchema.stateKey, LogSchema.number(receiver.number))
        inputs.append(.installed(through: through))
        // Whether the state holds what clients here asked for, nobody can tell.
        writes.removeAll { output.answer($0, .failure(.timedOut)) }
    }

    /// A state must take this replica forward, or come in the place of a lost one.
    private func isWanted(_ through: Slot) -> Bool {
        #if SYNOD_PLANTED_BUGS
            if PlantedBug.installsOlderState.isActive { return true }
        #endif
        return through > replica.chosenThrough
            || (replica.lacksState && through == replica.chosenThrough)
    }
}
