import SynodPaxos

/// A message to one replica.
struct Packet: Hashable {
    let message: Message
    let from: Int
    let to: Int
}

/// That an entry was proposed, or accepted, at a ballot in a slot.
struct Vote: Hashable {
    let slot: Slot
    let ballot: Ballot
    let entry: Entry
}

/// A set of numbered things, at most 64 of them.
typealias Marks = UInt64

/// The numbers of everything that more than one replica knows of.
final class Ledger {
    private var packets = Interner<Packet>()
    private var votes = Interner<Vote>()
    private var facts = Interner<Learned>()
    private var mails = Interner<[Int32]>()
    /// By vote: votes for another entry at the same ballot.
    private(set) var rivals: [Marks] = []
    /// By vote: votes for any entry in the same slot at a higher ballot.
    private(set) var later: [Marks] = []
    /// By vote: the fact that it makes when a quorum shares it.
    private(set) var factOfVote: [Int] = []
    /// Whether there are more votes or facts than marks. Those beyond are in no set, so that nothing
    /// that was found since then counts.
    private(set) var isOverfull = false
    /// By fact: facts that exclude it, and why.
    private(set) var exclusions: [(same: Marks, repeated: Marks)] = []

    func number(_ packet: Packet) -> Int32 { packets.intern(packet).number }
    func packet(_ number: Int32) -> Packet { packets[number] }
    var packetCount: Int { packets.count }

    /// The number of what is addressed to a replica among these packets.
    func mail(_ sent: [Int32], to index: Int) -> Int32 {
        mailNumber(sent.filter { packets[$0].to == index })
    }

    func mailNumber(_ packets: [Int32]) -> Int32 { mails.intern(packets).number }

    func mail(_ number: Int32) -> [Int32] { mails[number] }

    func vote(_ number: Int) -> Vote { votes.values[number] }
    func fact(_ number: Int) -> Learned { facts.values[number] }

    func mark(_ vote: Vote) -> Marks {
        let (number, isNew) = votes.intern(vote)
        if isNew {
            if number >= Marks.bitWidth { isOverfull = true }
            factOfVote.append(bit(Learned(slot: vote.slot, entry: vote.entry)))
            rivals.append(0)
            later.append(0)
            for (other, its) in votes.values.enumerated() where its.slot == vote.slot {
                if its.ballot < vote.ballot {
                    later[other] |= 1 << Marks(number)
                } else if its.ballot > vote.ballot {
                    later[Int(number)] |= 1 << Marks(other)
                } else if its.entry != vote.entry {
                    rivals[other] |= 1 << Marks(number)
                    rivals[Int(number)] |= 1 << Marks(other)
                }
            }
        }
        return 1 << Marks(number)
    }

    func mark(_ fact: Learned) -> Marks { 1 << Marks(bit(fact)) }

    private func bit(_ fact: Learned) -> Int {
        let (number, isNew) = facts.intern(fact)
        guard isNew else { return Int(number) }
        if number >= Marks.bitWidth { isOverfull = true }
        exclusions.append((0, 0))
        let commands = Set(fact.entry.commands)
        for (other, its) in facts.values.enumerated() where other != number {
            if its.slot == fact.slot {
                exclusions[other].same |= 1 << Marks(number)
                exclusions[Int(number)].same |= 1 << Marks(other)
            } else if !commands.isDisjoint(with: its.entry.commands) {
                exclusions[other].repeated |= 1 << Marks(number)
                exclusions[Int(number)].repeated |= 1 << Marks(other)
            }
        }
        return Int(number)
    }
}

extension Entry {
    var commands: [CommandID] {
        var commands: [CommandID] = []
        forEachCommand { commands.append($0.id) }
        return commands
    }
}

/// Visits the numbers in the set, in order.
func forEachMark(_ marks: Marks, _ body: (Int) -> Void) {
    var rest = marks
    while rest != 0 {
        body(rest.trailingZeroBitCount)
        rest &= rest - 1
    }
}
