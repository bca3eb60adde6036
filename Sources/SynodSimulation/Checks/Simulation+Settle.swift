import SynodBytes
import SynodCheck
import SynodNode
import SynodPaxos
import SynodStorage

/// The liveness check: a random connected majority is healed, everything else stays broken as it
/// is, and whatever clients at that core wait for must come to an end.
extension Simulation {
    /// How long it took.
    func settle() -> Interval {
        guard failure == nil else { return Interval(nanoseconds: 0) }
        let start = now
        isSettling = true
        nemesis.isStopped = true
        clients.isStopped = true
        chooseCore()
        guard failure == nil else { return Interval(nanoseconds: 0) }
        heal()
        if !comesToRest(), failure == nil {
            let span = now.since(start)
            fail(.liveness, "I10", "still busy after \(span.text): \(unrest)")
        }
        if failure == nil { compareStates(of: hosts) }
        return now.since(start)
    }

    private func comesToRest() -> Bool {
        let last = now + transferBound
        var bound = now
        repeat {
            bound = now + settlingBound
            run(until: bound) { isAtRest }
        } while failure == nil && !isAtRest && isTransferring && now < last
        guard failure == nil, isAtRest else { return false }
        return probe(
            until: max(bound, now + .seconds(10) + plan.timing.election * 4), transfersUntil: last)
    }

    /// Whether somebody in the core has a peer's state to wait for.
    private var isTransferring: Bool {
        coreHosts.contains { $0.glance.map { $0.isReceiving || $0.lacksState } ?? false }
    }

    /// Ten elections, fifty round trips, and what the transport may need to find out that a
    /// connection is of no use. A leader outside of the core who is hardly heard is doubted after two
    /// elections, other ways to it are tried for four, and then again.
    private var settlingBound: Interval {
        plan.timing.election * 10 + plan.link.delay * 100 + .seconds(8)
    }

    /// What states may take that come from outside of the core.
    private var transferBound: Interval {
        // Parts get lost on the way.
        var bound = Interval.seconds(60)
        // In small parts it takes a round trip for each.
        if plan.chunkBytes < NodeLimits.chunkBytes {
            bound = bound + (plan.link.delay + plan.link.spread) * 6_000
            // The links outside stay as slow as they are, a thousand times slower than others at
            // most. A transfer goes on as long as the next part comes within ten seconds.
            if plan.isEnabled(.n11) { bound = bound + .seconds(3_600) }
        }
        return bound
    }

    /// What may not recover after the faults have ended, because it is no part of the core.
    func mayRecover(_ host: Host) -> Bool { !isSettling || oracle.core.contains(host.index) }

    private func chooseCore() {
        let sound = hosts.filter { !oracle.atlas.isDamaged($0.index) }
        for host in sound {
            guard case .out(let reason) = host.standing, host.disk.owner == host.id else {
                continue
            }
            return fail(
                .liveness, "I10", "\(host.name) has stopped for good with an intact disk: \(reason)"
            )
        }
        let order = nemesis.draw(.p10) { $0.shuffled(sound) }
        let size = nemesis.draw(.p10) {
            membership.majority + $0.index(sound.count - membership.majority + 1)
        }
        // Whoever has only lost its state can fetch it from them.
        let stateless = hosts.filter {
            $0.disk.owner == $0.id && !oracle.isDisplaced($0.index)
                && $0.disk.hasOnlyLostItsState
        }
        oracle.core = (order.prefix(size) + stateless).map(\.index).sorted()
        note("the core is " + oracle.core.map { hosts[$0].name }.joined(separator: ", "))
    }

    private func heal() {
        confinement = nil
        cut.number += 1
        for from in oracle.core {
            for to in oracle.core where from != to {
                links[from, to].isCut = false
                links[from, to].isFaulty = false
                links[from, to].lastArrival = now
                unclog(from, to)
            }
        }
        for host in hosts where host.disk.owner != host.id { swapBack(host, other(host)) }
        for index in oracle.core { heal(hosts[index]) }
        for index in clients.all.indices { clients.all[index].cutOff = 0 }
    }

    private func other(_ host: Host) -> Host { hosts.first { $0.id == host.disk.owner }! }

    private func heal(_ host: Host) {
        host.timerDelay = Interval(nanoseconds: 0)
        host.crashAfterEffects = nil
        host.disk.cancelFaults()
        host.clock.setRate(1_000_000, at: now)
        makeSpace(host)
        // What a slow disk is writing is there now.
        if host.disk.writing != nil {
            queue.push(
                .logWritten(host: host.index, life: host.life), at: now + plan.disk.syncTime)
        }
        if host.isPaused { resume(host) }
        if host.standing == .down {
            queue.push(.start(host: host.index, life: host.life), at: now)
        }
        rescheduleTimer(of: host)
    }

    private var coreHosts: [Host] { oracle.core.map { hosts[$0] } }

    /// Everybody is up, nobody waits for anything, and all have executed the same, with no slot
    /// left out: which revisions a slot leaves out that came to nothing is known behind it only.
    private var isAtRest: Bool {
        let first = hosts[oracle.core[0]].glance?.appliedThrough
        return oracle.core.allSatisfy { index in
            let host = hosts[index]
            guard let glance = host.glance, host.openCalls.isEmpty else { return false }
            return glance.leader != nil && glance.appliedThrough == first && !glance.lacksState
                && !glance.isAhead && glance.waitingWrites == 0 && glance.waitingReads == 0
        }
    }

    private var unrest: String {
        coreHosts.map { host in
            guard let glance = host.glance else { return "\(host.name) is \(host.standing)" }
            return "\(host.name) follows \(glance.leader.map { "r\($0.rawValue)" } ?? "nobody"), "
                + "applied \(glance.appliedThrough.rawValue), \(host.openCalls.count) calls open"
        }.joined(separator: "; ")
    }

    /// Whether everybody in the core takes a write and a read. One that fails is asked for again, as
    /// long as there is time, or somebody receives a state: that what it lacks is chosen may not have
    /// been known here before.
    private func probe(until bound: Instant, transfersUntil last: Instant) -> Bool {
        var open: [UInt64] = []
        for host in coreHosts { open += [probe(host, reads: false), probe(host, reads: true)] }
        var end = bound
        while failure == nil, !open.isEmpty || !isAtRest {
            if now >= end {
                guard isTransferring, now < last else { break }
                end = now + settlingBound
            }
            run(until: end) { open.allSatisfy { clients.isOver($0) } && isAtRest }
            open = open.filter { !clients.isAnswered($0) }.map { call in
                guard clients.isOver(call) else { return call }
                let reads =
                    if case .range = clients.calls[Int(call)].request { true } else { false }
                return probe(hosts[clients.calls[Int(call)].host], reads: reads)
            }
        }
        return failure == nil && open.isEmpty && isAtRest
    }

    private func probe(_ host: Host, reads: Bool) -> UInt64 {
        let client = clients.addProbe(at: host.index)
        let key = Bytes("probe\(host.index)".utf8)
        let value = Bytes("\(client)".utf8)
        return call(
            reads
                ? .range(SynodCheck.KeyRange(key: key), isSerializable: false)
                : .put(key: key, value: value), by: client, at: host.index)
    }
}
