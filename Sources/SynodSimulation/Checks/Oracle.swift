import SynodBytes
import SynodNode
import SynodPaxos

/// Sees everything at once, as no replica can: which accepts are on which disks, what was sent,
/// what was executed where. It knows the rules of Paxos and nothing of how the node keeps them.
struct Oracle {
    /// A rule that was broken.
    struct Objection {
        let invariant: String
        let message: String
    }

    let count: Int
    let majority: Int
    private(set) var objection: Objection?
    /// By slot, from 1.
    private var slots: [SlotRecord] = []
    /// By replica.
    private var disks: [DiskShadow]
    /// In which life of which replica a ballot was prepared.
    private var preparedIn: [Ballot: UInt64] = [:]
    private var boots: [UInt64]
    private var executed: [CommandID: Slot] = [:]
    private(set) var learnedThrough = Slot.zero
    private(set) var phase1 = PhaseOneRecord()
    /// Revision by applied slot: replicas that executed the same have the same.
    private var revisions: [Slot: Int64] = [:]
    var atlas: FaultAtlas
    /// Replicas that run on another disk than the one they gave their word on.
    private var displaced: Set<Int> = []
    /// The replicas that a liveness check is about.
    var core: [Int] = []
    /// A revision that every client may compact through.
    var lowestRevision: Int64 = 1

    init(count: Int) {
        self.count = count
        majority = count / 2 + 1
        disks = Array(repeating: DiskShadow(), count: count)
        boots = Array(repeating: 0, count: count)
        atlas = FaultAtlas(count: count)
    }

    mutating func object(_ invariant: String, _ message: String) {
        if objection == nil { objection = Objection(invariant: invariant, message: message) }
    }

    var chosenCount: Int { slots.count { $0.chosen != nil } }

    /// The payloads of all commands that were chosen, and where in their order, from 1.
    var chosenCommands: [Bytes: [UInt64]] {
        var places: [Bytes: [UInt64]] = [:]
        var count: UInt64 = 0
        for slot in slots {
            slot.chosen?.forEachCommand { command in
                count += 1
                places[Bytes(command.payload), default: []].append(count)
            }
        }
        return places
    }

    func chosen(_ slot: Slot) -> Entry? {
        slot.rawValue <= UInt64(slots.count) ? slots[place(slot)].chosen : nil
    }

    func isChosen(_ slot: Slot) -> Bool { chosen(slot) != nil }

    private func place(_ slot: Slot) -> Int { Int(slot.rawValue) - 1 }

    private mutating func makeRoom(for slot: Slot) {
        while UInt64(slots.count) < slot.rawValue { slots.append(SlotRecord()) }
    }

    // MARK: Disks

    mutating func becameDurable(_ record: LogSchema.Record, at index: Int) {
        switch record {
        case .promised(let ballot):
            if ballot < disks[index].promised {
                object("I2", "r\(index + 1) took back its promise of \(disks[index].promised.text)")
            }
            disks[index].promised = max(disks[index].promised, ballot)
        case .entry(let item): becameDurable(item, at: index)
        case .other: break
        }
    }

    private mutating func becameDurable(_ item: SlotAccepted, at index: Int) {
        let (slot, accepted) = (item.slot, item.accepted)
        makeRoom(for: slot)
        // An entry that was fetched is a fact, whatever this replica has promised.
        if accepted.ballot < disks[index].promised,
            slots[place(slot)].chosen != accepted.entry
        {
            object(
                "I2",
                "r\(index + 1) accepted \(accepted.ballot.text) in slot \(slot.rawValue) after it "
                    + "had promised \(disks[index].promised.text)")
        }
        disks[index].accept(slot, accepted.ballot)
        if !slots[place(slot)].propose(accepted.entry, at: accepted.ballot) {
            object(
                "I4", "ballot \(accepted.ballot.text) proposed two entries in slot \(slot.rawValue)"
            )
        }
        // Nobody listens to a replica whose disk is not what it was: that is checked by itself.
        guard !displaced.contains(index) else { return }
        if !slots[place(slot)].vote(at: accepted.ballot, by: index, majority: majority) {
            object("I1", "two entries are chosen in slot \(slot.rawValue)")
        }
    }

    /// The replica's disk is another from now on, and holds these records.
    mutating func replacedDisk(of index: Int, holding records: [LogSchema.Record]) {
        disks[index] = DiskShadow()
        displaced.insert(index)
        for record in records {
            switch record {
            case .promised(let ballot): disks[index].promised = ballot
            case .entry(let item): disks[index].accept(item.slot, item.accepted.ballot)
            case .other: break
            }
        }
    }

    func isDisplaced(_ index: Int) -> Bool { displaced.contains(index) }

    /// The replica has all again that was lost of what it had executed, which makes no other disk its own.
    mutating func stateIsBack(at index: Int) {
        if !displaced.contains(index) { atlas.repair(index) }
    }

    // MARK: Lives

    mutating func started(_ index: Int, _ node: Host.SimulatedNode.Glance) {
        boots[index] = node.boot
        if node.promised < disks[index].promised {
            object(
                "I2",
                "r\(index + 1) starts with a promise of \(node.promised.text), having made one of "
                    + disks[index].promised.text)
        }
        let through = node.appliedThrough
        guard through > .zero else { return }
        let before = Slot(through.rawValue - 1)
        applied(index, from: before, through: through, revision: node.revision)
    }

    mutating func ended(_ index: Int) {
        phase1.forget(index)
    }

    // MARK: Messages

    /// A replica deals with messages; until it does, it knows nothing of what they say.
    mutating func delivered(_ messages: [Bytes], from: Int, to: Int) {
        for encoded in messages where encoded.first == MessageTag.promise {
            guard case .promise(let promise)? = try? Message(encoded: encoded) else { continue }
            phase1.delivered(promise, from: from, to: to)
        }
    }

    /// A message leaves a replica for a peer that listens to it.
    mutating func sent(_ message: Message, by index: Int, to peer: Int, learnedThrough: Slot) {
        if displaced.contains(index), !atlas.isDamaged(peer) {
            object("N13", "r\(peer + 1) listens to r\(index + 1), whose disk is not what it was")
        }
        switch message {
        case .prepare(let ballot, _): prepared(ballot, by: index)
        case .promise(let promise):
            if disks[index].promised < promise.ballot {
                object("I2", "r\(index + 1) promised \(promise.ballot.text) before it was durable")
            }
        case .accept(let ballot, let slot, let entry):
            proposed(entry, in: slot, at: ballot, by: index)
        case .accepted(let ballot, let first, let last):
            var slot = max(first, learnedThrough.next)
            while slot <= last {
                guard disks[index].accepted(in: slot) >= ballot else {
                    return object(
                        "I7",
                        "r\(index + 1) said that it accepted slot \(slot.rawValue) at "
                            + "\(ballot.text) before that was durable")
                }
                slot = slot.next
            }
        default: break
        }
    }

    private mutating func prepared(_ ballot: Ballot, by index: Int) {
        if disks[index].promised < ballot {
            object("I2", "r\(index + 1) used ballot \(ballot.text) before it was durable")
        }
        if let boot = preparedIn[ballot] {
            guard boot != boots[index] else { return }
            object("I4", "r\(index + 1) used ballot \(ballot.text) again after a restart")
        } else {
            preparedIn[ballot] = boots[index]
            phase1.prepared(ballot, by: index)
        }
    }

    private mutating func proposed(
        _ entry: Entry, in slot: Slot, at ballot: Ballot, by index: Int
    ) {
        makeRoom(for: slot)
        if !slots[place(slot)].propose(entry, at: ballot) {
            object("I4", "ballot \(ballot.text) proposed two entries in slot \(slot.rawValue)")
        }
        if ballot.replica.rawValue != UInt64(index) + 1 {
            slots[place(slot)].noteGranted(at: ballot)
        }
        if let chosen = slots[place(slot)].chosen, let at = slots[place(slot)].chosenAt,
            at < ballot, chosen != entry
        {
            object(
                "I3",
                "ballot \(ballot.text) proposes something else in slot \(slot.rawValue) than "
                    + "\(at.text) chose")
        }
        if let promises = phase1.promises(for: ballot), promises < majority {
            object("I3", "ballot \(ballot.text) proposes after \(promises) promises")
        }
        guard let expected = phase1.expected(in: slot, at: ballot) else { return }
        if expected.ballot > disks[index].accepted(in: slot), expected.entry != entry {
            object(
                "I3",
                "ballot \(ballot.text) proposes another entry in slot \(slot.rawValue) than the "
                    + "highest that its quorum reported, of \(expected.ballot.text)")
        }
    }

    // MARK: Executing

    /// A replica executes commands of these entries, in the order of the slots or ahead of it.
    mutating func learned(_ items: [Learned], by index: Int) {
        for item in items {
            guard isChosen(item.slot) else { return executedUnchosen(item.slot, by: index) }
            guard slots[place(item.slot)].chosen != item.entry else { continue }
            object(
                "I5",
                "r\(index + 1) executed another entry in slot \(item.slot.rawValue) than is chosen")
        }
    }

    private mutating func executedUnchosen(_ slot: Slot, by index: Int) {
        object(
            "I5", "r\(index + 1) executed slot \(slot.rawValue), which no quorum has on disk")
    }

    /// A replica has executed everything from `before` through `after`, at a revision.
    mutating func applied(_ index: Int, from before: Slot, through after: Slot, revision: Int64) {
        guard after > before else {
            if after < before {
                object("I5", "r\(index + 1) went back from slot \(before.rawValue)")
            }
            return
        }
        var slot = before.next
        while slot <= after {
            guard isChosen(slot) else { return executedUnchosen(slot, by: index) }
            if slot > learnedThrough { noteCommands(slot) }
            slot = slot.next
        }
        if let known = revisions[after] {
            if known != revision {
                object(
                    "I6",
                    "r\(index + 1) is at revision \(revision) after slot \(after.rawValue), another "
                        + "replica was at \(known)")
            }
        } else {
            revisions[after] = revision
        }
    }

    private mutating func noteCommands(_ slot: Slot) {
        learnedThrough = slot
        guard let entry = slots[place(slot)].chosen else { return }
        entry.forEachCommand { command in
            let id = command.id
            if let earlier = executed[id] {
                object(
                    "I12",
                    "command \(id.origin.rawValue):\(id.sequence) is in slots "
                        + "\(earlier.rawValue) and \(slot.rawValue)")
            }
            executed[id] = slot
        }
    }
}
