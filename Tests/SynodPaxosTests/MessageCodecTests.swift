import SynodBytes
import SynodPaxos
import Testing

struct MessageCodecTests {
    private static let ballot = Ballot(round: 300, replica: ReplicaID(.max), attempt: 7)
    private static let largest = Ballot(
        round: Limits.highestSlot, replica: ReplicaID(.max), attempt: .max)
    private static let progress = Progress(
        ballot: ballot, chosenThrough: Slot(127), recoveredThrough: Slot(128),
        chosenBeyond: 1 << 63, backlog: 200)
    private static let commands = [
        Command(
            id: CommandID(origin: ReplicaID(1), sequence: 0), footprint: .everything, payload: []),
        Command(
            id: CommandID(origin: ReplicaID(.max), sequence: .max),
            footprint: .key(Footprint.Piece(offset: 1, count: 2)),
            payload: [1, 2, 3]),
        Command(
            id: CommandID(origin: ReplicaID(2), sequence: 1 << 40), footprint: .parts([]),
            payload: [0]),
        Command(
            id: CommandID(origin: ReplicaID(3), sequence: 1),
            footprint: .parts([Footprint.Part(Footprint.Piece(offset: 0, count: 200), .open)]),
            isCertain: true, payload: [UInt8](repeating: 9, count: 200)),
    ]

    /// At least one of every case.
    static let messages: [Message] = [
        .grantRequest(
            ballot: ballot, boot: 3,
            batches: [
                BatchOutline(number: 1, commands: commands.map(\.outline)),
                BatchOutline(number: .max, commands: [Outline(isCertain: true, spans: nil)]),
            ]),
        .grant(ballot: ballot, boot: 3, batch: 7, slot: Slot(8), stamp: nil),
        .grant(
            ballot: ballot, boot: 3, batch: 7, slot: Slot(8),
            stamp: Stamp(
                reach: 3, revision: 7, uncertain: 5,
                waits: [Stamp.Wait(command: 2, distance: 1, other: 0)])),
        .canvass(round: 0, isUnserved: false), .canvass(round: .max, isUnserved: true),
        .canvassed(round: 5, leader: progress, chosenThrough: Slot(7)),
        .canvassed(round: 5, leader: nil, chosenThrough: .zero),
        .prepare(ballot: ballot, from: Slot(1)),
        .prepare(ballot: largest, from: Slot(Limits.highestSlot)),
        .promise(Promise(ballot: ballot, chosenThrough: .zero, accepted: [])),
        .promise(
            Promise(
                ballot: ballot, chosenThrough: Slot(3),
                accepted: [
                    SlotAccepted(slot: Slot(4), accepted: Accepted(ballot: ballot, entry: .noop)),
                    SlotAccepted(
                        slot: Slot(400),
                        accepted: Accepted(ballot: largest, entry: Entry(commands))),
                ])),
        .nack(promised: ballot),
        .accept(ballot: ballot, slot: Slot(9), entry: .noop),
        .accept(ballot: ballot, slot: Slot(Limits.highestSlot), entry: Entry(commands)),
        .accepted(ballot: ballot, first: Slot(1), last: Slot(1)),
        .accepted(ballot: ballot, first: Slot(1), last: Slot(Limits.highestSlot)),
        .chosen(progress), .heartbeat(progress), .heard(ballot: ballot),
        .unheard(ballot: ballot),
        .forward(ballot: ballot, boot: .max, position: 0, commands: []),
        .forward(ballot: ballot, boot: 1, position: Limits.highestSlot, commands: commands),
        .readQuery(
            round: .max,
            scopes: ReadScopes([
                .everything, .key([1, 2]),
                .spans([KeySpan([1], .open), KeySpan([], .below([7])), KeySpan([9])]),
            ])),
        .readReply(round: 1, chosenThrough: Slot(1), conflicts: []),
        .readReply(
            round: 1, chosenThrough: Slot(1),
            conflicts: [
                ReadConflict(read: 3, slot: Slot(2)),
                ReadConflict(read: 3, slot: Slot(4), isVague: true),
            ]),
        .fetch(from: Slot(1)),
        .fetched(from: Slot(1), entries: [], chosenThrough: .zero),
        .fetched(
            from: Slot(7),
            entries: [
                Accepted(ballot: ballot, entry: Entry(commands)),
                Accepted(ballot: largest, entry: .noop),
            ], chosenThrough: Slot(8)),
        .truncated(firstRetained: Slot(5)),
    ]

    @Test(arguments: messages)
    func everyMessageSurvives(message: Message) throws {
        let encoded = message.encoded
        #expect(encoded[0] < Message.firstForeignTag)
        #expect(try Message(encoded: encoded) == message)
    }

    /// A message that is cut off anywhere, or longer than it says, is refused.
    @Test(arguments: messages)
    func noPrefixIsAMessage(message: Message) {
        let encoded = message.encoded
        for count in 0..<encoded.count {
            #expect(throws: MalformedBytes.self) {
                try Message(encoded: Array(encoded.prefix(count)))
            }
        }
        #expect(throws: MalformedBytes.self) { try Message(encoded: encoded + [0]) }
    }

    /// Whatever bytes arrive: they are refused, or they are a message that reads and writes like
    /// any other.
    @Test(arguments: messages)
    func noMutationTraps(message: Message) throws {
        var chance = PRNG(seed: stableHash(message.encoded))
        for _ in 0..<200 {
            var bytes = message.encoded
            for _ in 0...chance.below(3) {
                let index = Int(chance.below(UInt64(bytes.count)))
                switch chance.below(4) {
                case 0: bytes[index] = UInt8(truncatingIfNeeded: chance.next())
                case 1: bytes[index] ^= 1 << UInt8(chance.below(8))
                case 2: bytes.insert(.max, at: index)
                default: if bytes.count > 1 { bytes.remove(at: index) }
                }
            }
            guard let read = try? Message(encoded: bytes) else { continue }
            #expect(try Message(encoded: read.encoded) == read)
        }
    }

    @Test func unknownTagsAreRefused() {
        for tag in [0, 17, 63, 64, 255] as [UInt8] {
            #expect(throws: MalformedBytes.self) { try Message(encoded: [tag] + Array(1...40)) }
        }
        #expect(throws: MalformedBytes.self) { try Message(encoded: []) }
    }

    /// Numbers that could overflow when counted on from are refused.
    @Test func numbersOutOfRangeAreRefused() {
        let tooHigh = Slot(Limits.highestSlot + 1)
        let tooLate = Ballot(round: Limits.highestSlot + 1, replica: ReplicaID(1))
        let refused: [Message] = [
            .fetch(from: tooHigh), .truncated(firstRetained: tooHigh),
            .prepare(ballot: tooLate, from: Slot(1)), .nack(promised: tooLate),
            .accept(ballot: Self.ballot, slot: tooHigh, entry: .noop),
            .accepted(ballot: Self.ballot, first: Slot(1), last: tooHigh),
            .accepted(ballot: Self.ballot, first: Slot(2), last: Slot(1)),
            .heartbeat(
                Progress(ballot: Self.ballot, chosenThrough: tooHigh, recoveredThrough: .zero)),
            .readReply(round: 1, chosenThrough: tooHigh, conflicts: []),
            .readReply(
                round: 1, chosenThrough: .zero, conflicts: [ReadConflict(read: 0, slot: tooHigh)]),
            .forward(
                ballot: Self.ballot, boot: 1, position: Limits.highestSlot + 1, commands: []),
        ]
        for message in refused {
            #expect(throws: MalformedBytes.self) { try Message(encoded: message.encoded) }
        }
    }

    /// A promise lists no slots far above what is chosen and what it holds in between.
    @Test func promisesWithWideGapsAreRefused() throws {
        let accepted = Accepted(ballot: Self.ballot, entry: .noop)
        func promise(_ slots: [UInt64]) -> Message {
            .promise(
                Promise(
                    ballot: Self.ballot, chosenThrough: Slot(3),
                    accepted: slots.map { SlotAccepted(slot: Slot($0), accepted: accepted) }))
        }
        let farthest = UInt64(4 + Limits.acceptAhead)
        for slots in [[farthest], [4, farthest + 1], [5, 6, farthest + 2]] {
            #expect(try Message(encoded: promise(slots).encoded) == promise(slots))
        }
        for slots in [[farthest + 1], [4, farthest + 2], [4, Limits.highestSlot]] {
            #expect(throws: MalformedBytes.self) { try Message(encoded: promise(slots).encoded) }
        }
    }

    /// A promise lists slots in order, each once, above what is chosen.
    @Test func promisesOutOfOrderAreRefused() {
        let accepted = Accepted(ballot: Self.ballot, entry: .noop)
        for slots in [[3], [5, 5], [6, 5], [4, 9, 8]] as [[UInt64]] {
            let promise = Promise(
                ballot: Self.ballot, chosenThrough: Slot(3),
                accepted: slots.map { SlotAccepted(slot: Slot($0), accepted: accepted) })
            #expect(throws: MalformedBytes.self) {
                try Message(encoded: Message.promise(promise).encoded)
            }
        }
    }
}
