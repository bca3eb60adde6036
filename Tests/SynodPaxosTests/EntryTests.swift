import SynodBytes
import SynodPaxos
import Testing

struct EntryTests {
    private let commands = (0..<20 as Range<UInt64>).map { number in
        Command(
            id: CommandID(origin: ReplicaID(number << 50), sequence: 1 << (3 * number)),
            footprint: [.everything, .key(number), .keys([number, number + 1])][Int(number % 3)],
            payload: [UInt8](repeating: UInt8(number), count: Int(number * number)))
    }

    private func contents(_ entry: Entry) -> [(CommandID, [UInt8])] {
        var contents: [(CommandID, [UInt8])] = []
        entry.forEachCommand { contents.append(($0, Array($1))) }
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
        #expect(throws: MalformedBytes.self) { try Entry(encoded: Entry.noop.encoded + [0]) }
    }

    /// What was read through once can always be visited.
    @Test func noMutationTraps() {
        var chance = PRNG(seed: 4)
        let encoded = Entry(commands.prefix(6)).encoded
        for _ in 0..<5_000 {
            var bytes = encoded
            for _ in 0...chance.below(3) {
                bytes[Int(chance.below(UInt64(bytes.count)))] = UInt8(
                    truncatingIfNeeded: chance.next())
            }
            guard let entry = try? Entry(encoded: bytes) else { continue }
            _ = contents(entry)
        }
    }

    @Test func footprintsThatShareAKeyOverlap() {
        #expect(Footprint.key(1).overlaps(.key(1)))
        #expect(!Footprint.key(1).overlaps(.key(2)))
        #expect(Footprint.keys([1, 2]).overlaps(.key(2)))
        #expect(Footprint.key(2).overlaps(.keys([1, 2])))
        #expect(!Footprint.keys([1, 2]).overlaps(.keys([3, 4])))
        #expect(Footprint.keys([1, 2]).overlaps(.keys([4, 1])))
        #expect(Footprint.everything.overlaps(.key(1)))
        #expect(Footprint.keys([]).overlaps(.everything))
    }
}
