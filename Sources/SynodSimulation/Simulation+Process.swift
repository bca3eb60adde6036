import SynodBytes
import SynodNode
import SynodPaxos
import SynodStorage

/// Processes start, die, stop and are suspended.
extension Simulation {
    /// Starts a replica's process on what its disk holds.
    func start(_ host: Host) {
        guard host.disk.owner == host.id else {
            return stop(host, .out("the directory is another member's"))
        }
        guard !host.disk.hasLostSynced else {
            return stop(host, .out("the log ends before its mark"))
        }
        guard host.disk.rotten != .log else { return stop(host, .out("a block is damaged")) }
        if host.disk.removeRottenState() { note("somebody removes the state of \(host.name)") }
        let isFirst = (try? LogSchema.isNew(host.disk.log)) ?? false
        let glance: Host.SimulatedNode.Glance
        do throws(StorageError) {
            let number = isFirst ? 1 : try LogSchema.currentState(in: host.disk.log)
            host.disk.removeStates(except: isFirst ? [] : [number])
            let disk = host.disk
            let node = try Node(
                NodeConfiguration(
                    identity: host.id, cluster: 7, membership: membership, timing: plan.timing,
                    clientURLs: ["http://\(host.name)"], incarnation: disk.incarnation,
                    session: host.chance.next(), snapshotCount: plan.snapshotCount(of: host.index),
                    quotaBytes: nil, chunkBytes: plan.chunkBytes,
                    proposers: plan.proposers(at: host.index),
                    executesByKey: plan.options.executesByKey),
                log: disk.log, state: disk.state(number), seed: host.chance.next(),
                now: host.clock.own(at: now),
                makeState: { () throws(StorageError) in disk.makeState() })
            glance = node.glance
            host.node = consume node
        } catch {
            host.node = nil
            return stop(host, .out("it cannot start: \(error.message)"))
        }
        host.life += 1
        host.standing = .up
        host.wakeAt = .distantFuture
        host.refusals = host.refusals.map { _ in nil }
        host.lastTicket = nil
        host.writtenTicket = nil
        host.staleSince = nil
        host.glance = glance
        note(
            "\(host.name) starts, for the \(glance.boot). time"
                + (glance.lacksState ? ", and lacks what its log does not reach back to" : ""))
        oracle.started(host.index, glance)
        compareStates(of: [host])
        nemesis.startedCrashPoint(host)
        for peer in hosts where peer !== host {
            queue.push(
                .stream(.dial(from: host.index, to: peer.index, life: host.life)), at: now)
        }
        queue.push(.turn(host: host.index, life: host.life), at: now)
        host.isTurnDue = true
    }

    /// A process dies. What was handed to the disk survives or not, as the seed has it.
    func crash(_ host: Host, restartAfter outage: Interval?, tellsPeers: Bool = true) {
        guard host.isUp else { return }
        let keepsWrite = diskChance.chance(1, in: 2) && plan.isEnabled(.d1)
        countLosses(host, keepsWrite: keepsWrite)
        let survived = host.disk.crash(
            keepsWrite: keepsWrite, keepsState: plan.isEnabled(.d1), &diskChance)
        if let survived { becameDurable(survived, at: host) }
        if plan.options.sabotage == .forgetsDurableWrites, let copy = nemesis.olderCopy(of: host) {
            host.disk = copy
        }
        end(host, tellsPeers: tellsPeers)
        host.standing = .down
        note("\(host.name) dies")
        guard let outage else { return }
        queue.push(.start(host: host.index, life: host.life), at: now + outage)
    }

    private func countLosses(_ host: Host, keepsWrite: Bool) {
        let state = host.node?.stateStore.unsyncedBatchCount ?? 0
        if host.disk.writing != nil, keepsWrite || plan.isEnabled(.d2) {
            tally.fired(keepsWrite ? .d1 : .d2)
        }
        if state > 0, plan.isEnabled(.d1) { tally.fired(.d1) }
        if host.disk.losesReported { tally.fired(.d7) }
    }

    /// A process stops by itself and says why.
    func stop(_ host: Host, _ standing: Host.Standing) {
        if host.isUp {
            _ = host.disk.crash(keepsWrite: false, keepsState: false, &diskChance)
            end(host, tellsPeers: true)
        }
        host.standing = standing
        if case .out(let reason) = standing { note("\(host.name) stops: \(reason)") }
    }

    private func end(_ host: Host, tellsPeers: Bool) {
        host.life += 1
        host.node = nil
        host.glance = nil
        host.inbox = []
        host.isTurnDue = false
        host.isPaused = false
        wakeUp(host)
        host.wakeAt = .distantFuture
        host.timerDelay = Interval(nanoseconds: 0)
        host.crashAfterEffects = nil
        closeStreams(of: host, tellsPeers: tellsPeers)
        breakCalls(of: host)
        oracle.ended(host.index)
    }

    /// The disk did not do what it was told: the replica stops, and somebody starts it again once
    /// the cause is removed, unless the disk is damaged.
    func storageFailed(_ host: Host, _ error: StorageError) {
        note("\(host.name): \(error.message)")
        nemesis.diskFailed(error, &tally)
        if error.kind == .corrupt {
            guard oracle.atlas.isDamaged(host.index) else {
                return fail(
                    .safety, "I5", "\(host.name) finds its disk corrupt, which it is not: \(error)")
            }
            guard case .state = host.disk.rotten else { return stop(host, .out(error.message)) }
        }
        host.disk.makeSpace()
        crash(host, restartAfter: isSettling ? .milliseconds(10) : nemesis.outage())
    }

    func pause(_ host: Host, for span: Interval) {
        guard host.isUp, !host.isPaused else { return }
        note("\(host.name) is suspended for \(span.text)")
        host.isPaused = true
        queue.push(.resume(host: host.index, life: host.life), at: now + span)
    }

    func resume(_ host: Host) {
        guard host.isUp, host.isPaused, mayRecover(host) else { return }
        note("\(host.name) goes on")
        host.isPaused = false
        host.isTurnDue = false
        wakeUp(host)
        takeTurn(host)
    }
}
