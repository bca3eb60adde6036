import SynodBytes
import SynodNode
import SynodPaxos
import SynodStorage

/// The shell around each node: what the server's driver, disk threads and inbox do, in the same
/// order.
extension Simulation {
    /// Something happened to a replica. False when there is no room for it.
    @discardableResult
    func post(_ event: NodeEvent, to host: Host) -> Bool {
        guard host.isUp else { return false }
        guard host.inbox.count < plan.inboxCapacity || !event.mayBeLost else { return false }
        host.inbox.append(event)
        scheduleTurn(of: host)
        return true
    }

    private func scheduleTurn(of host: Host) {
        guard !host.isTurnDue, !host.isPaused else { return }
        host.isTurnDue = true
        queue.push(.turn(host: host.index, life: host.life), at: now + plan.turnLatency)
    }

    func timerWentOff(_ host: Host, _ life: Int, _ number: Int) {
        guard host.life == life, host.wakeNumber == number, host.isUp else { return }
        host.wakeAt = .distantFuture
        guard !host.isPaused else { return }
        takeTurn(host)
    }

    /// One step for everything that has come in, as the server's event loop takes it.
    func takeTurn(_ host: Host) {
        host.isTurnDue = false
        guard host.isUp, !host.isPaused else { return }
        let events = host.inbox
        host.inbox = []
        guard plan.isEnabled(.p9), nemesis.splitsBatch(), events.count > 1 else {
            return step(host, events)
        }
        tally.fired(.p9)
        let life = host.life
        for event in events where host.life == life && failure == nil { step(host, [event]) }
    }

    private func step(_ host: Host, _ events: [NodeEvent]) {
        noteStep()
        guard let before = host.glance else { return }
        for case .received(let messages, let sender) in events {
            if let from = index(of: sender) {
                oracle.delivered(messages, from: from, to: host.index)
            }
        }
        let output: NodeOutput
        do throws(StorageError) {
            let own = host.clock.own(at: now)
            (output, host.glance) = try Self.step(&host.node!, events, at: own)
        } catch {
            return storageFailed(host, error)
        }
        for case .written(let ticket) in events { host.writtenTicket = ticket }
        check(host, after: before, executing: output.learned)
        carryOut(output, of: host)
    }

    /// Steps a node where it is: it is large, and copied several times otherwise.
    private static func step(
        _ node: inout Host.SimulatedNode, _ events: [NodeEvent], at now: Instant
    ) throws(StorageError) -> (output: NodeOutput, glance: Host.SimulatedNode.Glance) {
        let output = try node.step(events, at: now)
        return (output, node.glance)
    }

    /// A node that wants to be stepped again and again at one instant never rests.
    private func noteStep() {
        if stepsAtInstant.at < now { stepsAtInstant = (now, 0) }
        stepsAtInstant.count += 1
        meter.steps += 1
        guard stepsAtInstant.count < 100_000 else {
            return fail(.liveness, "I10", "a replica asks to be woken at once, for ever")
        }
    }

    /// Does what the step asks for, in the order of the output's fields. A replica can die between
    /// any two of them.
    private func carryOut(_ output: NodeOutput, of host: Host) {
        let life = host.life
        if let fatal = output.fatal {
            // Not another word to the peers.
            return stop(host, .out(fatal))
        }
        failAroundGrants(output, of: host)
        if !output.logBatch.isEmpty {
            host.disk.enqueue(output.logBatch, output.ticket)
            if plan.options.sabotage == .sendsBeforeDurable {
                post(.written(through: output.ticket), to: host)
            }
            beginWrite(host)
            guard survives(host, life) else { return }
        }
        for (peer, messages) in output.sends {
            let chosen = nemesis.choose(messages, of: self)
            let muffled = brief.muffled(chosen, of: host, to: peer, self)
            let sent = confined(muffled, from: host, to: peer)
            send(sent, from: host, to: peer)
            guard survives(host, life) else { return }
        }
        for (connection, verdict) in output.verdicts {
            judge(connection, verdict, at: host)
            guard survives(host, life) else { return }
        }
        for answer in output.answers {
            deliver(answer, from: host)
            guard survives(host, life) else { return }
        }
        if let slot = output.flushThrough {
            beginFlush(host, through: slot)
            placeCrashPoint(in: host, once: 32)
            guard survives(host, life) else { return note("\(host.name) was flushing its state") }
        }
        if removeStaleStates(output, of: host) {
            placeCrashPoint(in: host, once: 4)
            guard survives(host, life) else { return note("\(host.name) had removed states") }
        }
        for event in output.trace { tell(event, of: host) }
        wake(host, at: output.wakeAt)
        brief.stepped(host, writing: output.logBatch.isEmpty ? nil : output.ticket, self)
    }

    /// Whether the replica still lives after another effect.
    private func survives(_ host: Host, _ life: Int) -> Bool {
        guard host.life == life else { return false }
        guard let left = host.crashAfterEffects else { return true }
        host.crashAfterEffects = left - 1
        guard left <= 0 else { return true }
        host.crashAfterEffects = nil
        tally.fired(host.crashFault)
        note("\(host.name) dies between two effects")
        crash(host, restartAfter: nemesis.outage())
        return false
    }

    private func wake(_ host: Host, at due: Instant) {
        guard due < host.wakeAt || host.wakeAt <= host.clock.own(at: now) else { return }
        host.wakeAt = due
        host.wakeNumber += 1
        guard due < .distantFuture else { return }
        let at = max(now, host.clock.trueTime(of: due)) + host.timerDelay
        queue.push(.timer(host: host.index, life: host.life, number: host.wakeNumber), at: at)
    }

    /// The host's clock has changed: its timer goes off when the clock says so.
    func rescheduleTimer(of host: Host) {
        guard host.isUp else { return }
        let due = host.wakeAt
        host.wakeAt = .distantFuture
        wake(host, at: due)
    }

    // MARK: The disk threads

    private func beginWrite(_ host: Host) {
        guard host.disk.beginWrite() else { return }
        var (time, isSlow) = plan.disk.draw(&diskChance)
        if isSettling, oracle.core.contains(host.index) {
            (time, isSlow) = (plan.disk.syncTime, false)
        }
        if isSlow { tally.fired(.d9) }
        if plan.isEnabled(.p9) { time = time + nemesis.dawdle(&tally) }
        queue.push(.logWritten(host: host.index, life: host.life), at: now + time)
    }

    func logWritten(_ host: Host) {
        do throws(StorageError) {
            guard let (batch, ticket) = try host.disk.finishWrite() else { return }
            becameDurable(batch, at: host)
            if brief.diesAfterWrite(host, through: ticket, self) { return }
            if plan.options.sabotage != .sendsBeforeDurable {
                post(.written(through: ticket), to: host)
            }
            beginWrite(host)
        } catch {
            storageFailed(host, error)
        }
    }

    private func beginFlush(_ host: Host, through slot: Slot) {
        guard let store = host.node?.stateStore else { return }
        queue.push(
            .stateFlushed(host: host.index, life: host.life, store: store, through: slot),
            at: now + plan.disk.flushTime)
    }

    func stateFlushed(_ host: Host, _ store: MemoryStore, through slot: Slot) {
        do throws(StorageError) {
            try store.flush()
            post(.stateFlushed(through: slot), to: host)
        } catch {
            storageFailed(host, error)
        }
    }

    /// Removes state stores that are out of use, when no record on disk names them any more. Returns
    /// whether it did.
    private func removeStaleStates(_ output: NodeOutput, of host: Host) -> Bool {
        if output.hasStaleStates {
            host.staleSince = Host.StaleSince(
                ticket: output.logBatch.isEmpty ? host.lastTicket : output.ticket)
        }
        if !output.logBatch.isEmpty { host.lastTicket = output.ticket }
        guard let staleSince = host.staleSince else { return false }
        if let needed = staleSince.ticket {
            guard let written = host.writtenTicket, written >= needed else { return false }
        }
        host.staleSince = nil
        host.disk.removeStates(except: host.node?.statesInUse ?? [])
        return true
    }
}

extension NodeEvent {
    /// Whether the one who sent it copes with its loss.
    fileprivate var mayBeLost: Bool {
        switch self {
        case .requested, .received, .greeted: true
        case .streamOpened, .streamLost, .written, .stateFlushed, .spaceChanged: false
        }
    }
}
