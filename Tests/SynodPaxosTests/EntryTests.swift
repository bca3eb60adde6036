import SynodBytes
import SynodPaxos
import Testing

struct EntryTests {
    private let commands = (0..<20 as Range<UInt64>).map { number in
        Command(
            id: CommandID(origin: ReplicaID(number << 50), sequence: 1 << (3 * number)),
            footprint: number < 2 ? .everything : Self.footprints[Int(number % 4)],
            isCertain: number % 2 == 0,
            payload: [UInt8](repeating: UInt8(number), count: Int(number * number)))
    }

    private static let footprints: [Footprint] = [
        .everything, .key(Footprint.Piece(offset: 1, count: 3)), .parts([]),
        .parts([
            Footprint.Part(Footprint.Piece(offset: 0, count: 1)),
            Footprint.Part(Footprint.Piece(offset: 1, count: 0), .open),
            Footprint.Part(
                Footprint.Piece(offset: 0, count: 2), .below(Footprint.Piece(offset: 2, count: 2))),
        ]),
    ]

    private static let stamp = Stamp(
        reach: 64, revision: Int64(Limits.highestRevision), uncertain: .max,
        waits: [
            Stamp.Wait(command: 1, distance: 0, other: 0),
            Stamp.Wait(command: 1, distance: 64, other: 4095),
            Stamp.Wait(command: 5, distance: 1, other: 7),
        ])

    private func contents(_ entry: Entry) -> [(CommandID, [UInt8])] {
        var contents: [(CommandID, [UInt8])] = []
        entry.forEachCommand { contents.append(($0.id, Array($0.payload))) }
        return contents
    }

    @Test func commandsComeBackInOrder() throws {
        for count in 0...commands.count {
            let batch = commands.prefix(count)
            let entry = try Entry(encoded: Entry(batch).encoded)
            #expect(entry == Entry(batch))
            #expect(contents(entry).map(\.0) == batch.map(\.id))
            #expect(contents(entry).map(\.1) == batch.map(\.payload))
            #expect(!entry.isNoop)
            #expect(entry.stamp == nil)
        }
    }

    @Test func aStampAndFootprintsComeBack() throws {
        let entry = try Entry(encoded: Entry(commands, stamp: Self.stamp).encoded)
        #expect(entry.stamp == Self.stamp)
        var number = 0
        entry.forEachCommand { command in
            #expect(command.footprint == commands[number].footprint)
            #expect(command.isCertain == commands[number].isCertain)
            number += 1
        }
        #expect(number == commands.count)
        #expect(throws: MalformedBytes.self) {
            try Entry(encoded: Entry(commands.prefix(5), stamp: Self.stamp).encoded)
        }
    }

    @Test func aNoopHoldsNothing() throws {
        #expect(Entry.noop.isNoop)
        #expect(contents(.noop).isEmpty)
        #expect(try Entry(encoded: Entry.noop.encoded) == .noop)
    }

    /// The bound by which messages and queues are filled holds.
    @Test func noCommandIsLargerThanItSays() {
        let empty = Entry([Command]()).encoded.count
        for command in commands {
            #expect(Entry([command]).encoded.count - empty <= command.byteCount)
        }
    }

    @Test func brokenEntriesAreRefused() {
        let encoded = Entry(commands).encoded
        for count in 0..<encoded.count {
            #expect(throws: MalformedBytes.self) {
                try Entry(encoded: Array(encoded.prefix(count)))
            }
        }
        #expect(throws: MalformedBytes.self) { try Entry(encoded: encoded + [0]) }
        #expect(throws: MalformedBytes.self) { try Entry(encoded: [2]) }
        #expect(throws: MalformedBytes.self) { try Entry(encoded: [3]) }
        #expect(throws: MalformedBytes.self) { try Entry(encoded: Entry.noop.encoded + [0]) }
    }

    /// What was read through once can always be visited.
    @Test func noMutationTraps() {
        var chance = PRNG(seed: 4)
        let encoded = Entry(commands.prefix(6), stamp: Self.stamp).encoded
        for _ in 0..<10_000 {
            var bytes = encoded
            for _ in 0...chance.below(3) {
                bytes[Int(chance.below(UInt64(bytes.count)))] = UInt8(
                    truncatingIfNeeded: chance.next())
            }
            guard let entry = try? Entry(encoded: bytes) else { continue }
            _ = contents(entry)
            _ = entry.stamp?.uncertainSlots(before: Slot(3))
        }
    }

    @Test func spansThatShareAKeyOverlap() {
        func span(_ lower: String, _ upper: KeySpan.Upper = .point) -> KeySpan {
            KeySpan(Bytes(lower.utf8)[...], upper)
        }
        func below(_ end: String) -> KeySpan.Upper { .below(Bytes(end.utf8)[...]) }
        #expect(span("a").overlaps(span("a")))
        #expect(!span("a").overlaps(span("b")))
        #expect(span("a", below("c")).overlaps(span("b")))
        #expect(!span("a", below("c")).overlaps(span("c")))
        #expect(span("c").overlaps(span("a", .open)))
        #expect(!span("a").overlaps(span("b", .open)))
        #expect(span("a", below("c")).overlaps(span("b", below("d"))))
        #expect(!span("a", below("b")).overlaps(span("b", below("d"))))
        #expect(span("a", .open).overlaps(span("x", below("y"))))
        #expect(!span("a", below("b")).overlaps(span("b", .open)))
    }
}
