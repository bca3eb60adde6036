import SynodBytes
import SynodPaxos
import Testing

/// Any message that can be read may arrive in any state: a replica may believe nonsense, but it
/// neither traps nor grows.
struct FuzzTests {
    private static let numbers: [UInt64] = [0, 1, 2, 3, 5, 64, 65, 66, 2048, Limits.highestSlot]

    private var chance: PRNG

    init() { chance = PRNG(seed: 11) }

    @Test func noMessageTraps() {
        var fuzz = self
        for seed in 0..<150 as Range<UInt64> {
            fuzz.chance = PRNG(seed: seed)
            fuzz.run()
        }
    }

    private mutating func run() {
        var lone = LoneReplica(
            count: 2 + Int(chance.below(4)),
            proposers: chance.chance(1, in: 2) ? .everyone : .automatic)
        var nextSequence: UInt64 = 1
        if chance.chance(1, in: 2) { _ = lone.lead() }
        for _ in 0..<80 {
            var inputs: [Input] = []
            for _ in 0..<chance.below(4) {
                switch chance.below(12) {
                case 0 where lone.replica.hasRoom:
                    let command = Command(
                        id: CommandID(origin: ReplicaID(1), sequence: nextSequence),
                        footprint: .everything, payload: [1])
                    nextSequence += 1
                    inputs.append(.submitted(command, deadline: lone.now + .milliseconds(50)))
                case 1: inputs.append(.read(nextSequence, .key([1])))
                case 2: inputs.append(.connected(peer()))
                case 3: inputs.append(.disconnected(peer()))
                case 4: inputs.append(.written(through: lone.outbox.ticket))
                case 5: inputs.append(.installed(through: Slot(1 + chance.below(200))))
                default:
                    let message = message(lone.replica.promised)
                    // Only what passes the codec gets as far as this.
                    guard let read = try? Message(encoded: message.encoded) else { continue }
                    inputs.append(.received(read, from: peer()))
                }
            }
            lone.now = lone.now + .milliseconds(chance.below(60))
            lone.step(inputs)
            #expect(lone.outbox.send.count < 3000)
        }
    }

    private mutating func number() -> UInt64 {
        Self.numbers[Int(chance.below(UInt64(Self.numbers.count)))]
    }

    private mutating func slot() -> Slot { Slot(number()) }

    private mutating func peer() -> ReplicaID { ReplicaID(chance.below(6)) }

    private mutating func ballot(_ promised: Ballot) -> Ballot {
        if chance.chance(1, in: 3) { return promised }
        return Ballot(round: promised.round &+ chance.below(3), replica: peer())
    }

    /// One entry for each ballot and slot: that two differ is the one thing that is not believed.
    private func entry(_ ballot: Ballot, _ slot: Slot) -> Entry {
        let mark = mix64(ballot.round &* 31 &+ ballot.replica.rawValue &* 7 &+ slot.rawValue)
        guard mark % 4 > 0 else { return .noop }
        let id = CommandID(origin: ReplicaID(mark % 6), sequence: mark % 5)
        let command = Command(id: id, footprint: .everything, payload: [0])
        var chance = PRNG(seed: mark)
        guard chance.chance(1, in: 3) else { return Entry([command]) }
        let wait = Stamp.Wait(
            command: 0, distance: Int(chance.below(64)) + 1, other: Int(chance.below(3)))
        let stamp = Stamp(
            reach: Int(chance.below(64)) + 1, revision: 1, uncertain: chance.next(),
            waits: chance.chance(1, in: 2) ? [wait] : [],
            pending: PendingSlots(encoded: [1, 0, UInt8(chance.below(256)), 0]))
        return Entry([command], stamp: stamp)
    }

    private mutating func message(_ promised: Ballot) -> Message {
        let ballot = ballot(promised)
        let slot = slot()
        let progress = Progress(
            ballot: ballot, chosenThrough: slot, recoveredThrough: self.slot(),
            chosenBeyond: chance.chance(1, in: 4) ? chance.next() : 0)
        switch chance.below(18) {
        case 16:
            return .grantRequest(
                ballot: ballot, boot: number(),
                batches: [
                    BatchOutline(
                        number: number(), commands: [Outline(isCertain: true, spans: nil)])
                ])
        case 17:
            return .grant(
                ballot: ballot, boot: 1 << 32, batch: chance.below(4), slot: slot, stamp: nil)
        case 0: return .canvass(round: number(), isUnserved: chance.chance(1, in: 2))
        case 1:
            return .canvassed(
                round: ballot.round, leader: chance.chance(1, in: 3) ? progress : nil,
                chosenThrough: slot)
        case 2: return .prepare(ballot: ballot, from: slot)
        case 3:
            let accepted = (1...4).map { step in
                let slot = slot.advanced(by: Int(step))
                return SlotAccepted(
                    slot: slot, accepted: Accepted(ballot: ballot, entry: entry(ballot, slot)))
            }
            return .promise(Promise(ballot: promised, chosenThrough: slot, accepted: accepted))
        case 4: return .nack(promised: ballot)
        case 5, 6: return .accept(ballot: ballot, slot: slot, entry: entry(ballot, slot))
        case 7: return .accepted(ballot: ballot, first: slot, last: max(slot, self.slot()))
        case 8: return .chosen(progress)
        case 9: return .heartbeat(progress)
        case 10: return chance.chance(1, in: 2) ? .heard(ballot: ballot) : .unheard(ballot: ballot)
        case 11:
            let commands = (0..<chance.below(4)).map { offset in
                Command(
                    id: CommandID(origin: ReplicaID(2), sequence: offset), footprint: .everything,
                    payload: [])
            }
            return .forward(
                ballot: ballot, boot: number(), position: number(), commands: commands)
        case 12:
            return .readQuery(
                round: number(), scopes: ReadScopes([.everything, .key([1]), .spans([])]))
        case 13:
            return .readReply(
                round: number(), chosenThrough: self.slot(),
                conflicts: [
                    ReadConflict(
                        read: Int(chance.below(3)), slot: slot, isVague: chance.chance(1, in: 4))
                ])
        case 14: return .fetch(from: slot)
        default:
            let entries = (0..<chance.below(4)).map { offset in
                Accepted(ballot: ballot, entry: entry(ballot, slot.advanced(by: Int(offset))))
            }
            return .fetched(from: slot, entries: entries, chosenThrough: self.slot())
        }
    }
}
