import SynodBytes
import SynodPaxos

/// What may happen to the replicas and the links between them.
extension Cluster {
    func start(_ index: Int) {
        precondition(!hosts[index].isUp, "A replica that runs is not started.")
        hosts[index].boot += 1
        let restored = hosts[index].disk.restored
        hosts[index].startExecuting(from: restored.chosenThrough)
        hosts[index].nextSequence = hosts[index].boot << 32
        hosts[index].replica = Replica(
            id: hosts[index].id, membership: membership, timing: options.timing,
            restored: restored, boot: hosts[index].boot, seed: chance.next(),
            proposers: options.proposers.isEmpty ? .automatic : options.proposers[index], now: now)
        log?("\(index + 1) starts, executed through \(restored.chosenThrough.rawValue)")
        hosts[index].wakeAt = now
        queue.push(.wake(index, boot: hosts[index].boot), at: now)
        guard hosts[index].boot > 1 else { return }
        for other in hosts.indices where other != index && network.connects(index, other) {
            connect(index, to: other)
            connect(other, to: index)
        }
    }

    /// The process dies; of what was not synced, the first `keeping` batches survive.
    func crash(_ index: Int, keeping count: Int = 0) {
        guard hosts[index].isUp else { return }
        for change in hosts[index].disk.crash(keeping: count) {
            checker.becameDurable(change, at: index)
        }
        hosts[index].replica = nil
        log?("\(index + 1) crashes")
        hosts[index].syncedThrough = .zero
        hosts[index].inbox = []
        hosts[index].held = []
        hosts[index].isPaused = false
        hosts[index].isInstalling = false
        hosts[index].installedThrough = .zero
        hosts[index].idleSteps = 0
        hosts[index].waiting = [:]
        hosts[index].reads = [:]
        for other in hosts.indices where other != index && network.connects(index, other) {
            disconnect(other, from: index)
        }
    }

    /// The process stands still; what arrives piles up.
    func pause(_ index: Int) {
        guard hosts[index].isUp, !hosts[index].isPaused else { return }
        hosts[index].isPaused = true
        log?("\(index + 1) pauses")
    }

    func resume(_ index: Int) {
        guard hosts[index].isPaused else { return }
        hosts[index].isPaused = false
        log?("\(index + 1) resumes")
        hosts[index].wakeAt = now
        queue.push(.wake(index, boot: hosts[index].boot), at: now)
    }

    /// Every link and every replica works again.
    func stabilize() {
        var isolated: [(Int, Int)] = []
        for one in hosts.indices {
            for other in hosts.indices where one != other && !network.connects(one, other) {
                isolated.append((one, other))
            }
        }
        network.heal()
        for (one, other) in isolated { connect(one, to: other) }
        for index in hosts.indices {
            if !hosts[index].isUp { start(index) }
            resume(index)
        }
    }

    /// The replica hears that its stream from the other is open, after a moment.
    func connect(_ index: Int, to other: Int) {
        let at = now + options.quality.delay
        queue.push(.input(.connected(hosts[other].id), to: index), at: at)
    }

    /// The replica hears that its stream from the other broke.
    func disconnect(_ index: Int, from other: Int) {
        let at = now + options.quality.delay
        queue.push(.input(.disconnected(hosts[other].id), to: index), at: at)
    }

    // MARK: Looking

    /// Milliseconds since the start, with one decimal.
    var clock: String {
        let tenths = now.since(options.now).nanoseconds / 100_000
        return "\(tenths / 10).\(tenths % 10)"
    }

    /// The one replica that leads at the highest ballot, if any does.
    var leader: Int? {
        hosts.indices.filter { hosts[$0].replica?.isLeading == true }
            .max { hosts[$0].replica!.promised < hosts[$1].replica!.promised }
    }

    var liveIndices: [Int] { hosts.indices.filter { hosts[$0].isUp } }

    /// Whether all that run have executed the same, no client of theirs waits for anything, and
    /// nothing is under way.
    var isSettled: Bool {
        guard let leader, let reach = hosts[leader].replica?.highestSlot else { return false }
        return liveIndices.allSatisfy { index in
            hosts[index].executedThrough == reach && hosts[index].reads.isEmpty
                && hosts[index].waiting.values.allSatisfy { $0 <= now }
                && hosts[index].replica!.leader == hosts[leader].id
        }
    }

    /// One line for each replica.
    var status: [String] {
        hosts.indices.map { index in
            let host = hosts[index]
            guard let replica = host.replica else { return "\(index + 1): down" }
            let leader = replica.leader.map { "\($0.rawValue)" } ?? "nobody"
            return "\(index + 1): \(replica.isLeading ? "leads" : "follows \(leader)"), promised "
                + "\(replica.promised.summary), executed through \(host.executedThrough.rawValue)"
                + ", waiting \(host.waiting.count)+\(host.reads.count)"
                + (host.isPaused ? ", paused" : "")
        }
    }
}
