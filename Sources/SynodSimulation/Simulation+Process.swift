import SynodBytes
import SynodNode
import SynodPaxos
import SynodStorage

/// Processes start, die, stop and are suspended.
extension Simulation {
    /// Starts a replica's process on what its disk holds.
    func start(_ host: Host) {
        strikeStart(of: host)
        let glance: Host.SimulatedNode.Glance
        do throws(StorageError) {
            let node = try makeNode(on: host)
            glance = node.glance
            host.node = consume node
        } catch {
            return startFailed(host, error)
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

    /// Opens what the disk holds, in the order of the server, and makes a node of it.
    private func makeNode(on host: Host) throws(StorageError) -> Host.SimulatedNode {
        let disk = host.disk
        let member = host.identity(incarnation: disk.identity.incarnation)
        let log = try disk.openLog(for: member)
        let isFirst = try LogSchema.isNew(log)
        let number = isFirst ? 1 : try LogSchema.currentState(in: log)
        disk.removeStates(except: isFirst ? [] : [number])
        examineDisk(of: host)
        return try Node(
            NodeConfiguration(
                identity: host.id, cluster: member.clusterID, membership: membership,
                timing: plan.timing, clientURLs: ["http://\(host.name)"],
                incarnation: member.incarnation, session: host.chance.next(),
                snapshotCount: plan.snapshotCount(of: host.index),
                quotaBytes: nil, chunkBytes: plan.chunkBytes,
                proposers: plan.proposers(at: host.index),
                executesByKey: plan.options.executesByKey),
            log: log, state: disk.state(number), seed: host.chance.next(),
            now: host.clock.own(at: now),
            makeState: { () throws(StorageError) in disk.makeState() })
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

    /// The disk did not do what it was told: the replica stops.
    func storageFailed(_ host: Host, _ error: StorageError) {
        note("\(host.name): \(error.message)")
        nemesis.diskFailed(error, of: host.disk, &tally)
        guard mayStartAgain(host, after: error) else { return stop(host, .out(error.message)) }
        crash(host, restartAfter: isSettling ? .milliseconds(10) : nemesis.outage())
        if error.kind == .corrupt { removeDamagedState(of: host) }
    }

    /// The disk did not do what a process needed that was about to start. What that has written and
    /// not synced is gone with it.
    private func startFailed(_ host: Host, _ error: StorageError) {
        note("\(host.name) cannot start: \(error.message)")
        nemesis.diskFailed(error, of: host.disk, &tally)
        guard mayStartAgain(host, after: error) else { return stop(host, .out(error.message)) }
        let keepsState = plan.isEnabled(.d1)
        _ = nemesis.drawAside {
            host.disk.crash(keepsWrite: false, keepsState: keepsState, &$0)
        }
        if error.kind == .corrupt { removeDamagedState(of: host) }
        host.life += 1
        let wait = isSettling ? .milliseconds(10) : nemesis.patience()
        queue.push(.start(host: host.index, life: host.life), at: now + wait)
    }

    /// Whether a process that its disk has stopped is started again, be it in vain while the disk is
    /// full: not on another member's directory, and on a damaged disk only where somebody can remove
    /// what is damaged.
    private func mayStartAgain(_ host: Host, after error: StorageError) -> Bool {
        switch error.kind {
        case .io, .full, .locked: return true
        case .unsuitable: return false
        case .corrupt:
            guard oracle.atlas.isDamaged(host.index) else {
                fail(
                    .safety, "I5", "\(host.name) finds its disk corrupt, which it is not: \(error)")
                return false
            }
            return host.disk.damagedState != nil
        }
    }

    private func removeDamagedState(of host: Host) {
        guard let number = host.disk.damagedState else { return }
        note("somebody removes the state of \(host.name)")
        host.disk.removeDamagedState(number)
    }

    /// What was damaged may have been in a state that is out of use and removed by now. While a process
    /// runs, it may still read from there; one that is about to start has nothing but what is left.
    private func examineDisk(of host: Host) {
        guard oracle.atlas.isDamaged(host.index), host.disk.owner == host.id, host.disk.isSound,
            !oracle.isDisplaced(host.index)
        else { return }
        note("\(host.name)'s disk is sound again")
        oracle.stateIsBack(at: host.index)
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
