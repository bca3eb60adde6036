import SynodBytes
import SynodPaxos

/// Replicas, their disks and the network between them, in one thread and in virtual time: the
/// same seed gives the same run. Every step is judged by a ``Checker``.
final class Cluster {
    struct Options {
        var count = 3
        var seed: UInt64 = 1
        var timing = Timing(heartbeat: .milliseconds(100), election: .milliseconds(1000))
        var quality = Network.Quality()
        /// By replica: who proposes what its clients write; where there is none, that decides itself.
        var proposers: [ProposerPolicy] = []
        /// How long the disk writes a batch; up to `diskSpread` is added.
        var diskDelay = Interval.milliseconds(1)
        var diskSpread = Interval.milliseconds(0)
        /// Replicas whose disks take so much longer for each batch.
        var slowDisks: [Int: Interval] = [:]
        /// Of a thousand disk writes this many take half a second.
        var diskStalls: UInt64 = 0
        /// Of a thousand steps that execute something, this many also keep the state.
        var stateKept: UInt64 = 100
        /// Executed slots that stay in the log when the state is kept; nil: nothing is truncated.
        var retained: Int?
        /// Entries in an answer to a fetch.
        var page = 16
        /// Whether inputs wait up to a millisecond, so that a step takes several.
        var gathersInputs = false
        var now = Instant(nanoseconds: 1_000_000_000)
    }

    enum Event {
        case deliver(Message, from: Int, to: Int)
        case synced(Int, boot: UInt64, WriteTicket)
        case step(Int)
        case wake(Int, boot: UInt64)
        case input(Input, to: Int)
        case install(through: Slot, Int, boot: UInt64)
        case act((Cluster) -> Void)
    }

    let options: Options
    let membership: Membership
    let hosts: [Host]
    var network: Network
    /// Messages that the network loses besides, whatever their link does to others.
    var loses: (Message, _ from: Int, _ to: Int) -> Bool = { _, _, _ in false }
    var checker: Checker
    var chance: PRNG
    var now: Instant
    var queue = EventQueue<Event>()
    private(set) var steps = 0
    private var nextRead: UInt64 = 0
    /// Told of every noteworthy thing, for transcripts.
    var log: ((String) -> Void)?
    /// A running hash of all that was sent and executed: equal for equal seeds.
    private(set) var digest: UInt64 = 0

    init(_ options: Options) {
        self.options = options
        membership = Membership((1...options.count).map { ReplicaID(UInt64($0)) })
        hosts = membership.replicas.map { Host(id: $0) }
        network = Network(count: options.count)
        network.quality = options.quality
        checker = Checker(count: options.count)
        chance = PRNG(seed: options.seed)
        now = options.now
        for index in hosts.indices { start(index) }
        for one in hosts.indices {
            for other in hosts.indices where one != other { connect(one, to: other) }
        }
    }

    // MARK: Running

    /// Runs until nothing is left to do before `end`, or something is wrong.
    func run(until end: Instant) {
        while let next = queue.nextTime, next <= end, checker.failure == nil {
            run(events: 1)
        }
        if checker.failure == nil { now = max(now, end) }
    }

    func run(for span: Interval) { run(until: now + span) }

    /// Runs until the condition holds, to the millisecond; false if it does not within the span.
    func run(atMost span: Interval, until condition: (Cluster) -> Bool) -> Bool {
        let end = now + span
        while !condition(self) {
            guard let next = queue.nextTime, next <= end, checker.failure == nil else {
                return false
            }
            run(until: max(next, min(now + .milliseconds(1), end)))
        }
        return true
    }

    /// Runs so many events, however little time that takes.
    func run(events count: Int) {
        for _ in 0..<count {
            guard checker.failure == nil, let (at, event) = queue.pop() else { return }
            now = max(now, at)
            take(event)
        }
    }

    private func take(_ event: Event) {
        switch event {
        case .deliver(let message, let from, let to):
            guard hosts[to].isUp, !network.isCut(from: from, to: to) else { return }
            log?("\(from + 1)→\(to + 1) \(message.summary)")
            if case .truncated = message { return sendState(from: from, to: to) }
            give(.received(message, from: hosts[from].id), to: to)
        case .synced(let index, let boot, let ticket):
            guard hosts[index].boot == boot, hosts[index].isUp else { return }
            for change in hosts[index].disk.sync(through: ticket) {
                checker.becameDurable(change, at: index)
            }
            hosts[index].syncedThrough = ticket
            give(.written(through: ticket), to: index)
        case .step(let index):
            hosts[index].isStepDue = false
            step(index)
        case .wake(let index, let boot):
            guard hosts[index].boot == boot, hosts[index].wakeAt <= now else { return }
            hosts[index].wakeAt = .distantFuture
            scheduleStep(index)
        case .input(let input, let index):
            give(input, to: index)
        case .install(let slot, let index, let boot):
            install(through: slot, index, boot: boot)
        case .act(let act):
            act(self)
        }
    }

    func give(_ input: Input, to index: Int) {
        guard hosts[index].isUp else { return }
        hosts[index].inbox.append(input)
        scheduleStep(index)
    }

    private func scheduleStep(_ index: Int) {
        guard !hosts[index].isStepDue else { return }
        hosts[index].isStepDue = true
        var at = now
        if options.gathersInputs { at = at + Interval(nanoseconds: chance.below(1_000_000)) }
        queue.push(.step(index), at: at)
    }

    private func step(_ index: Int) {
        let host = hosts[index]
        guard host.isUp, !host.isPaused else { return }
        steps += 1
        var outbox = Outbox()
        var inputs = host.inbox
        host.inbox = []
        if host.replica!.isLeading { inputs.append(.executed(host.executed)) }
        host.replica!.step(inputs, at: now, into: &outbox)
        for event in outbox.trace { log?("\(index + 1): \(event.summary)") }
        persist(outbox, at: index)
        execute(outbox, at: index)
        host.held.append(contentsOf: outbox.send)
        release(index)
        for read in outbox.readable { readRuns(read.id, at: index) }
        for fetch in outbox.fetches { answer(fetch, by: index) }
        arm(index, outbox.wakeAt, wasIdle: inputs.isEmpty && outbox.send.isEmpty)
    }

    private func persist(_ outbox: Outbox, at index: Int) {
        guard !outbox.persist.isEmpty else { return }
        hosts[index].disk.write(outbox.persist.map { .paxos($0) }, as: outbox.ticket)
        for write in outbox.persist { log?("\(index + 1) writes \(write.summary)") }
        var at = now + options.diskDelay
        if options.diskSpread > .milliseconds(0) {
            at = at + Interval(nanoseconds: chance.below(options.diskSpread.nanoseconds))
        }
        if let slow = options.slowDisks[index] { at = at + slow }
        if chance.chance(options.diskStalls, in: 1000) { at = at + .milliseconds(500) }
        // Tickets become durable in order.
        at = max(at, hosts[index].diskDoneAt)
        hosts[index].diskDoneAt = at
        queue.push(.synced(index, boot: hosts[index].boot, outbox.ticket), at: at)
    }

    private func execute(_ outbox: Outbox, at index: Int) {
        // What was learned before a state was installed in the same step is in that state.
        let learned = outbox.learned.drop { $0.slot <= hosts[index].installedThrough }
        hosts[index].installedThrough = .zero
        guard !learned.isEmpty else { return }
        for item in learned {
            checker.learned(item, at: index, behind: hosts[index].executedThrough)
            if let objection = hosts[index].execute(item) { checker.fail(objection) }
            digest = mix64(digest &+ item.slot.rawValue &+ UInt64(index) << 32)
            log?("\(index + 1) executes \(item.slot.rawValue)=\(item.entry.summary)")
            item.forEachCommand { command in
                guard command.id.origin == hosts[index].id,
                    hosts[index].waiting.removeValue(forKey: command.id.sequence) != nil
                else { return }
                checker.told(of: command.key, in: item.slot)
            }
        }
        if chance.chance(options.stateKept, in: 1000) { keepState(index, outbox.ticket) }
    }

    /// Keeps the executed state beside the log, in the order of the other writes, and truncates.
    private func keepState(_ index: Int, _ ticket: WriteTicket) {
        let through = hosts[index].executedThrough
        var changes: [SimulatedDisk.Change] = [.state(through: through)]
        let durableThrough = hosts[index].disk.durable.stateThrough
        if let retained = options.retained, durableThrough.rawValue > UInt64(retained) {
            changes.append(.truncate(through: Slot(durableThrough.rawValue - UInt64(retained))))
        }
        hosts[index].disk.write(changes, as: ticket)
    }

    /// Sends what waits for nothing any more, in its order.
    private func release(_ index: Int) {
        let synced = hosts[index].syncedThrough
        var stillHeld: [Envelope] = []
        for envelope in hosts[index].held {
            if let ticket = envelope.afterTicket, ticket > synced {
                stillHeld.append(envelope)
            } else {
                send(envelope, by: index)
            }
        }
        hosts[index].held = stillHeld
        if stillHeld.count > 50_000 { checker.fail("replica \(index + 1) holds too much back") }
    }

    private func send(_ envelope: Envelope, by index: Int) {
        digest = mix64(digest &+ now.nanoseconds &+ UInt64(index))
        checker.sent(
            envelope.message, by: index, boot: hosts[index].boot,
            durable: hosts[index].disk.durable, learnedThrough: hosts[index].executedThrough)
        var message = envelope.message
        if chance.chance(1, in: 32) {
            guard let copy = try? Message(encoded: message.encoded), copy == message else {
                return checker.fail("a message changes when it is encoded: \(message.summary)")
            }
            message = copy
        }
        for other in hosts.indices where other != index {
            if case .replica(let id) = envelope.to, id != hosts[other].id { continue }
            transmit(message, from: index, to: other)
        }
    }

    func transmit(_ message: Message, from: Int, to: Int) {
        guard !loses(message, from, to) else { return }
        for at in network.arrivals(from: from, to: to, now: now, &chance) {
            queue.push(.deliver(message, from: from, to: to), at: at)
        }
    }

    /// Sees to it that the replica is stepped again in time.
    private func arm(_ index: Int, _ wakeAt: Instant, wasIdle: Bool) {
        hosts[index].idleSteps = wakeAt <= now && wasIdle ? hosts[index].idleSteps + 1 : 0
        if hosts[index].idleSteps > 3 {
            checker.fail("replica \(index + 1) asks again and again to be woken in the past")
        }
        guard wakeAt != .distantFuture, wakeAt < hosts[index].wakeAt else { return }
        hosts[index].wakeAt = wakeAt
        queue.push(.wake(index, boot: hosts[index].boot), at: max(wakeAt, now))
    }

    // MARK: Clients

    /// A client of the replica wants a command executed. Nil if the replica has no room.
    @discardableResult
    func submit(_ payload: Bytes, at index: Int, within span: Interval) -> CommandID? {
        guard let replica = hosts[index].replica, replica.hasRoom else { return nil }
        let id = CommandID(origin: hosts[index].id, sequence: hosts[index].nextSequence)
        hosts[index].nextSequence += 1
        hosts[index].waiting[id.sequence] = now + span
        let command = Command(
            id: id,
            footprint: .key(Footprint.Piece(offset: 0, count: 1)),
            isCertain: payload.count % 4 != 0, payload: payload)
        give(.submitted(command, deadline: now + span), to: index)
        return id
    }

    /// A client of the replica reads a key; nil: all of them.
    func read(_ key: Bytes? = nil, at index: Int) {
        guard hosts[index].isUp else { return }
        nextRead += 1
        hosts[index].reads[ReadID(nextRead)] = PendingRead(
            key: key, floor: checker.known(of: key))
        let scope = key.map { ReadScope.key($0[...]) } ?? .everything
        give(.read(nextRead, scope), to: index)
    }

    private func readRuns(_ read: ReadID, at index: Int) {
        guard let pending = hosts[index].reads.removeValue(forKey: read) else {
            return checker.fail("replica \(index + 1) released a read twice, or another's")
        }
        log?("\(index + 1) reads at \(hosts[index].executedThrough.rawValue)")
        checker.read(
            of: pending.key, at: index, through: hosts[index].executedThrough,
            ofKey: pending.key.map(hosts[index].lastSlot) ?? .zero, floor: pending.floor)
    }

    // MARK: Catching up

    private func answer(_ fetch: Fetch, by index: Int) {
        guard let to = membership.index(of: fetch.peer) else { return }
        let image = hosts[index].disk.current
        let through = hosts[index].executedThrough
        if fetch.from <= image.truncatedThrough {
            return transmit(
                .truncated(firstRetained: image.truncatedThrough.next), from: index, to: to)
        }
        var entries: [Accepted] = []
        var slot = fetch.from
        while slot <= through, entries.count < options.page, let accepted = image.log[slot] {
            entries.append(accepted)
            slot = slot.next
        }
        transmit(
            .fetched(from: fetch.from, entries: entries, chosenThrough: through), from: index,
            to: to)
    }

    /// A snapshot goes from one replica to another, taking some time.
    private func sendState(from: Int, to: Int) {
        guard hosts[from].isUp, hosts[to].isUp, !hosts[to].isInstalling else { return }
        hosts[to].isInstalling = true
        queue.push(
            .install(through: hosts[from].executedThrough, to, boot: hosts[to].boot),
            at: now + .milliseconds(chance.below(50) + 1))
    }

    private func install(through slot: Slot, _ index: Int, boot: UInt64) {
        guard hosts[index].isUp, hosts[index].boot == boot else { return }
        hosts[index].isInstalling = false
        guard slot > hosts[index].executedThrough, !hosts[index].isPaused else { return }
        hosts[index].startExecuting(from: slot)
        hosts[index].installedThrough = slot
        // Whether it holds what these clients wait for, the replica cannot know.
        hosts[index].waiting = [:]
        log?("\(index + 1) installs the state through \(slot.rawValue)")
        give(.installed(through: slot), to: index)
    }
}
