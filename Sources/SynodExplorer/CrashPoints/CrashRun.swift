import SynodPaxos

/// One run of three replicas in virtual time, with a crash at one point of it.
struct CrashRun {
    private let plan: CrashPoints.Plan
    private var processes: [Process]
    private var events: [(at: Instant, number: Int, event: Event)] = []
    private var eventCount = 0
    private var now = Instant(nanoseconds: 1_000_000_000)
    /// Effects of the decision so far; nil before it begins and after it ends.
    private var effects: Int?
    private(set) var hasCrashed = false
    /// By slot: what each ballot had on how many disks.
    private var votes: [Vote: Set<Int>] = [:]
    private var failure: String?
    private var isAnswered = false

    private static let membership = Membership([ReplicaID(1), ReplicaID(2), ReplicaID(3)])
    private static let delay = Interval.milliseconds(1)

    private enum Event {
        case delivery(Message, from: Int, to: Int)
        case sync(Int, boot: UInt64)
        case wake(Int, boot: UInt64)
        case restart(Int)
    }

    private enum Effect {
        case persist([LogWrite], WriteTicket)
        case record(Disk.Batch)
        case send(Envelope)
        case execute(Learned)
        case answer
        case answerFetch(Fetch)
    }

    init(_ plan: CrashPoints.Plan) {
        self.plan = plan
        processes = Self.membership.replicas.map { Process(id: $0) }
        for index in processes.indices { start(index) }
    }

    /// What is wrong in the end; nil if nothing is.
    mutating func run() -> String? {
        pass(.milliseconds(3000)) { _ in false }
        guard let leader = processes.firstIndex(where: { $0.replica?.isLeading == true }) else {
            return "nobody leads at the start"
        }
        let origin = plan.asksLeader ? leader : (leader + 1) % 3
        let command = Command(
            id: CommandID(origin: processes[origin].id, sequence: 1 << 20),
            footprint: .everything, payload: [1])
        effects = 0
        step(origin, [.submitted(command, deadline: .distantFuture)])
        pass(.milliseconds(200)) { run in run.isDone(command) }
        effects = nil
        pass(.milliseconds(20_000)) { run in
            run.isSettled && (run.processes[origin].boot > 1 || run.holds(command, origin))
        }
        return failure ?? verdict(command, origin)
    }

    // MARK: Time

    private mutating func pass(_ span: Interval, until isDone: (CrashRun) -> Bool) {
        let end = now + span
        while failure == nil, !isDone(self) {
            guard let next = events.indices.min(by: { isEarlier($0, $1) }),
                events[next].at <= end
            else { break }
            now = max(now, events[next].at)
            take(events.remove(at: next).event)
        }
    }

    private func isEarlier(_ one: Int, _ other: Int) -> Bool {
        (events[one].at, events[one].number) < (events[other].at, events[other].number)
    }

    private mutating func schedule(_ event: Event, at instant: Instant) {
        eventCount += 1
        events.append((instant, eventCount, event))
    }

    private mutating func take(_ event: Event) {
        switch event {
        case .delivery(let message, let from, let to):
            step(to, [.received(message, from: processes[from].id)])
        case .sync(let index, let boot):
            guard processes[index].boot == boot, processes[index].replica != nil else { return }
            sync(index)
        case .wake(let index, let boot):
            guard processes[index].boot == boot, processes[index].wakeAt <= now else { return }
            processes[index].wakeAt = .distantFuture
            step(index, [])
        case .restart(let index): start(index)
        }
    }

    // MARK: Doing

    private mutating func start(_ index: Int) {
        processes[index].boot += 1
        processes[index].replica = Replica(
            id: processes[index].id, membership: Self.membership, timing: Host.timing,
            restored: processes[index].disk.durable.restored, boot: processes[index].boot,
            seed: UInt64(index + 1), window: 2, proposers: .leader, now: now)
        processes[index].executed = []
        processes[index].wakeAt = now
        schedule(.wake(index, boot: processes[index].boot), at: now)
    }

    private mutating func step(_ index: Int, _ inputs: [Input]) {
        guard processes[index].replica != nil else { return }
        var outbox = Outbox()
        processes[index].replica!.step(inputs, at: now, into: &outbox)
        var list: [Effect] = []
        if !outbox.persist.isEmpty { list.append(.persist(outbox.persist, outbox.ticket)) }
        list += outbox.send.map { .send($0) }
        for item in outbox.learned {
            list.append(.execute(item))
            if item.entry.commands.contains(where: { $0.origin == processes[index].id }) {
                list.append(.answer)
            }
        }
        list += outbox.fetches.map { .answerFetch($0) }
        perform(list, index)
        guard outbox.wakeAt < processes[index].wakeAt else { return }
        processes[index].wakeAt = outbox.wakeAt
        schedule(.wake(index, boot: processes[index].boot), at: max(outbox.wakeAt, now))
    }

    private mutating func sync(_ index: Int) {
        let batch = processes[index].disk.nextBatch()
        let isDue = { (envelope: Envelope) in (envelope.afterTicket ?? .zero) <= batch.ticket }
        let due = processes[index].held.filter(isDue)
        perform([.record(batch)], index)
        guard processes[index].replica != nil else { return }
        processes[index].syncedThrough = batch.ticket
        processes[index].held.removeAll(where: isDue)
        perform(due.map { .send($0) }, index)
        step(index, [.written(through: batch.ticket)])
    }

    /// Does one thing after the other, or dies on the way.
    private mutating func perform(_ list: [Effect], _ index: Int) {
        for effect in list {
            if let count = effects {
                effects = count + 1
                if count + 1 == plan.point { return crash(index) }
            }
            perform(effect, index)
        }
    }

    private mutating func perform(_ effect: Effect, _ index: Int) {
        switch effect {
        case .persist(let writes, let ticket):
            processes[index].disk.write(writes, as: ticket, fetched: [])
            schedule(.sync(index, boot: processes[index].boot), at: now + Self.delay)
        case .record(let batch): record(batch, index)
        case .send(let envelope):
            if let ticket = envelope.afterTicket, ticket > processes[index].syncedThrough {
                processes[index].held.append(envelope)
            } else {
                transmit(envelope.message, envelope.to, from: index)
            }
        case .execute(let item): execute(item, index)
        case .answer: isAnswered = true
        case .answerFetch(let fetch):
            transmit(processes[index].answer(fetch), .replica(fetch.peer), from: index)
        }
    }

    private mutating func transmit(_ message: Message, _ to: Destination, from: Int) {
        for (index, process) in processes.enumerated() where index != from {
            if case .replica(let id) = to, id != process.id { continue }
            schedule(.delivery(message, from: from, to: index), at: now + Self.delay)
        }
    }

    private mutating func crash(_ index: Int) {
        hasCrashed = true
        effects = nil
        while plan.keepsUnsynced, !processes[index].disk.unsynced.isEmpty {
            record(processes[index].disk.nextBatch(), index)
        }
        processes[index].crash()
        schedule(.restart(index), at: now + plan.downtime)
    }

    private mutating func record(_ batch: Disk.Batch, _ index: Int) {
        for write in batch.writes {
            processes[index].disk.durable.apply(write)
            guard case .accepted(let slot, let accepted) = write else { continue }
            let vote = Vote(slot: slot, ballot: accepted.ballot, entry: accepted.entry)
            votes[vote, default: []].insert(index)
        }
    }

    // MARK: Judging

    private mutating func execute(_ item: Learned, _ index: Int) {
        if item.slot.rawValue != UInt64(processes[index].executed.count + 1) {
            failure = "slot \(item.slot.rawValue) is executed out of order"
        }
        processes[index].executed.append(item.entry)
        let isChosen = votes.contains { vote, disks in
            vote.slot == item.slot && vote.entry == item.entry && disks.count >= 2
        }
        if !isChosen { failure = "slot \(item.slot.rawValue) is executed and not chosen" }
    }

    private func holds(_ command: Command, _ index: Int) -> Bool {
        processes[index].executed.contains { $0.commands.contains(command.id) }
    }

    private func isDone(_ command: Command) -> Bool {
        hasCrashed || isAnswered && processes.indices.allSatisfy { holds(command, $0) }
    }

    /// Whether all are up, agree on a leader and have executed as much.
    private var isSettled: Bool {
        guard let leader = processes.first(where: { $0.replica?.isLeading == true }) else {
            return false
        }
        let reach = leader.replica!.highestSlot.rawValue
        return processes.allSatisfy {
            $0.replica?.leader == leader.id && UInt64($0.executed.count) == reach
        }
    }

    private func verdict(_ command: Command, _ origin: Int) -> String? {
        if !isSettled { return "the cluster does not settle" }
        if Set(processes.map(\.executed)).count > 1 { return "the replicas differ" }
        let isThere = holds(command, 0)
        if isAnswered, !isThere { return "an answered command is lost" }
        if processes[origin].boot == 1, !(isAnswered && isThere) {
            return "a command whose replica lives was never answered"
        }
        return nil
    }
}
