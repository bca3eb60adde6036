import SynodBytes
import SynodPaxos

/// Judges every step of a cluster by what no fault may ever cause. It sees everything at once, as
/// no replica can: which accepts are on which disks, what was sent, what was executed where.
struct Checker {
    /// The first thing that went wrong.
    private(set) var failure: String?

    private let quorum: Int
    /// By slot and ballot: whose disks hold that accept.
    private var votes: [Slot: [Ballot: Set<Int>]] = [:]
    private var proposed: [Slot: [Ballot: Entry]] = [:]
    /// Where another replica proposed than the leader of the ballot: no quorum there is without him.
    private var granted: [Slot: Set<Ballot>] = [:]
    /// What a quorum of disks has accepted at one ballot.
    private(set) var chosen: [Slot: Entry] = [:]
    private var executed: [CommandID: Slot] = [:]
    private(set) var learnedThrough = Slot.zero
    /// By replica: the highest promise on its disk.
    private var promised: [Ballot]
    /// In which boot of its replica a ballot was prepared.
    private var preparedIn: [Ballot: UInt64] = [:]
    /// By key: the slots that have a command on it, as far as slots are executed in order anywhere.
    private var slotsOfKey: [Bytes: [Slot]] = [:]
    /// By key: the last of its slots that a client somewhere knows of.
    private var known: [Bytes: Slot] = [:]

    init(count: Int) {
        quorum = count / 2 + 1
        promised = Array(repeating: .zero, count: count)
    }

    mutating func fail(_ reason: String) {
        if failure == nil { failure = reason }
    }

    // MARK: Disks

    mutating func becameDurable(_ change: SimulatedDisk.Change, at index: Int) {
        guard case .paxos(let write) = change else { return }
        switch write {
        case .promised(let ballot):
            if ballot < promised[index] {
                fail("replica \(index + 1) took back its promise of \(promised[index])")
            }
            promised[index] = ballot
        case .accepted(let slot, let accepted):
            // An entry that was fetched is a fact, whatever this replica has promised.
            if accepted.ballot < promised[index], chosen[slot] != accepted.entry {
                fail("replica \(index + 1) accepted \(accepted.ballot) below its promise")
            }
            note(accepted.entry, proposedAt: accepted.ballot, in: slot)
            votes[slot, default: [:]][accepted.ballot, default: []].insert(index)
            if isQuorum(votes[slot]![accepted.ballot]!, in: slot, at: accepted.ballot) {
                choose(accepted.entry, in: slot)
            }
        case .installed: break
        }
    }

    private func isQuorum(_ voters: Set<Int>, in slot: Slot, at ballot: Ballot) -> Bool {
        guard voters.count >= quorum else { return false }
        let leader = Int(ballot.replica.rawValue) - 1
        return granted[slot]?.contains(ballot) != true || voters.contains(leader)
    }

    private mutating func choose(_ entry: Entry, in slot: Slot) {
        if let earlier = chosen[slot], earlier != entry {
            fail("two entries are chosen in slot \(slot.rawValue)")
        }
        chosen[slot] = entry
    }

    private mutating func note(_ entry: Entry, proposedAt ballot: Ballot, in slot: Slot) {
        if let earlier = proposed[slot]?[ballot], earlier != entry {
            fail("ballot \(ballot) proposed two entries in slot \(slot.rawValue)")
        }
        proposed[slot, default: [:]][ballot] = entry
    }

    // MARK: Messages

    /// A message leaves the replica, whose disk holds `durable`.
    mutating func sent(
        _ message: Message, by index: Int, boot: UInt64, durable: SimulatedDisk.Image,
        learnedThrough: Slot
    ) {
        switch message {
        case .prepare(let ballot, _):
            if durable.promised < ballot {
                fail("replica \(index + 1) used \(ballot) before it was durable")
            }
            if preparedIn[ballot, default: boot] != boot {
                fail("replica \(index + 1) used \(ballot) again after a restart")
            }
            preparedIn[ballot] = boot
        case .promise(let promise):
            if durable.promised < promise.ballot {
                fail("replica \(index + 1) promised \(promise.ballot) before it was durable")
            }
        case .accept(let ballot, let slot, let entry):
            note(entry, proposedAt: ballot, in: slot)
            if ballot.replica.rawValue != UInt64(index) + 1 {
                granted[slot, default: []].insert(ballot)
            }
        case .accepted(let ballot, let first, let last):
            var slot = max(first, learnedThrough.next)
            while slot <= last {
                if durable.log[slot].map({ $0.ballot < ballot }) ?? true {
                    fail(
                        "replica \(index + 1) said that it accepted slot \(slot.rawValue) before "
                            + "it was durable")
                    break
                }
                slot = slot.next
            }
        default: break
        }
    }

    // MARK: Executing

    /// A replica that had executed all through `before` executes the next slot.
    mutating func learned(_ item: Learned, at index: Int, behind before: Slot) {
        if item.isInOrder ? item.slot != before.next : item.slot <= before.next {
            fail("replica \(index + 1) went from slot \(before.rawValue) to \(item.slot.rawValue)")
        }
        guard let entry = chosen[item.slot] else {
            return fail(
                "replica \(index + 1) executed slot \(item.slot.rawValue), which no quorum has on "
                    + "disk")
        }
        if entry != item.entry {
            fail("replica \(index + 1) executed what slot \(item.slot.rawValue) does not hold")
        }
        if item.isInOrder, item.slot > learnedThrough {
            learnedThrough = item.slot
            item.entry.forEachCommand { slotsOfKey[$0.key, default: []].append(item.slot) }
        }
        item.forEachCommand { command in
            let id = command.id
            if let earlier = executed[id], earlier != item.slot {
                fail(
                    "command \(id.origin.rawValue):\(id.sequence) is in slots "
                        + "\(earlier.rawValue) and \(item.slot.rawValue)")
            }
            executed[id] = item.slot
        }
    }

    /// Where a command was executed, if anyone has learned it.
    func slot(of command: CommandID) -> Slot? { executed[command] }

    /// The last slot that a client somewhere knows of and that touches the key; nil: any key.
    func known(of key: Bytes?) -> Slot {
        key.map { known[$0] ?? .zero } ?? known.values.max() ?? .zero
    }

    /// A client was told of a command on the key.
    mutating func told(of key: Bytes, in slot: Slot) {
        known[key] = max(known[key] ?? .zero, slot)
    }

    /// A read of a key, or of all, sees everything that is executed through a slot, and of its key
    /// perhaps a later one; `floor` is what clients knew before it began.
    mutating func read(
        of key: Bytes?, at index: Int, through slot: Slot, ofKey later: Slot, floor: Slot
    ) {
        let seen = key == nil ? slot : max(slot, later)
        if seen < floor {
            fail(
                "a read at replica \(index + 1) saw slot \(seen.rawValue); slot \(floor.rawValue) "
                    + "was known before it began")
        }
        for (other, slots) in slotsOfKey where key == nil || key == other {
            if let last = slots.last(where: { $0 <= slot }) { told(of: other, in: last) }
        }
        if let key, later > .zero { told(of: key, in: later) }
    }
}

extension EntryCommand {
    /// The key that a test's command touches: its first byte.
    var key: Bytes { Bytes(payload.prefix(1)) }
}
