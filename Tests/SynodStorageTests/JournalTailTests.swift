import Foundation
import SynodBytes
import SynodDisk
import SynodStorage
import Testing

/// What a crash leaves at the end of a journal, and that it does not come back.
@Suite struct JournalTailTests {
    private let path = TemporaryDirectory().path

    private func open() throws -> Journal {
        try Journal(path: path, creation: .allowed, segmentSize: smallSegment)
    }

    /// Spoils the record that begins at a sector of the first segment.
    private func tear(_ sector: Int) throws {
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path + "/segment-1"))
        try handle.seek(toOffset: UInt64(sector * 512 + 30))
        try handle.write(contentsOf: Data(repeating: 0x5a, count: 20))
        try handle.close()
    }

    /// A record that was acknowledged is missed, one that was not is dropped.
    @Test(arguments: [Durability.buffered, .synced])
    func theMarkTellsALostRecordFromAnUnfinishedOne(_ last: Durability) throws {
        let journal = try open()
        try journal.put("a", "1", durability: .synced)
        try journal.put("b", "2", durability: last)
        journal.close()
        try tear(1)
        switch last {
        case .buffered: #expect(try open().pairs() == [Pair("a", "1")])
        case .synced:
            let error = #expect(throws: StorageError.self) { try open() }
            #expect(error?.kind == .corrupt)
            #expect(error?.message.contains("its last records are lost") == true)
        }
    }

    /// Of three records only the middle one is torn. The last one is whole, was never
    /// acknowledged, and must not follow a record that is written in the place of the torn one,
    /// not even if that is the same. It begins a page, so the new record's write leaves it alone.
    @Test(arguments: [UInt8(2), 9])
    func aRecordBehindATornOneNeverComesBack(_ byte: UInt8) throws {
        func open() throws -> Journal {
            try Journal(path: path, creation: .allowed, segmentSize: 4 * smallSegment)
        }
        func long(_ byte: UInt8) -> Pair {
            Pair(Bytes("b".utf8), Bytes(repeating: byte, count: 3500))
        }
        let journal = try open()
        try journal.put("a", "1", durability: .synced)
        try journal.put([long(2)])
        try journal.put("c", "3")
        journal.close()
        try tear(1)

        let second = try open()
        #expect(try second.pairs() == [Pair("a", "1")])
        try second.put([long(byte)], durability: .synced)
        second.close()
        let bytes = Bytes(try Data(contentsOf: URL(fileURLWithPath: path + "/segment-1")))
        #expect(bytes[4096...].contains(UInt8(ascii: "c")), "The old record is still there.")
        let third = try open()
        #expect(try third.pairs() == [Pair("a", "1"), long(byte)])
        try third.put("d", "4")
        third.close()
        try tear(8)
        #expect(try open().pairs() == [Pair("a", "1"), long(byte)])
    }

    /// As before, and the torn record is the last one of its segment.
    @Test func aSegmentBehindATornRecordIsUsedAgain() throws {
        let journal = try open()
        let value = Bytes(repeating: 7, count: 400)
        for number in 0..<7 { try journal.put([Pair(bigEndian(number), value)]) }
        try journal.flush()
        for number in 7..<10 { try journal.put([Pair(bigEndian(number), value)]) }
        journal.close()
        // The eighth was synced when the second segment was begun, and the mark knows.
        try tear(7)
        #expect(throws: StorageError.self) { try open() }
    }

    @Test func aBegunSegmentWithoutAWholeRecordIsUsedAgain() throws {
        let journal = try open()
        let value = Bytes(repeating: 7, count: 400)
        for number in 0..<10 { try journal.put([Pair(bigEndian(number), value)]) }
        journal.close()
        let second = URL(fileURLWithPath: path + "/segment-2")
        let whole = try Data(contentsOf: second)
        try (Data(repeating: 0x5a, count: 64) + whole.dropFirst(64)).write(to: second)

        var expected = (0..<8).map { Pair(bigEndian($0), value) }
        for number in 20..<24 {
            let journal = try open()
            #expect(try journal.pairs() == expected)
            try journal.put([Pair(bigEndian(number), value)], durability: .synced)
            expected.append(Pair(bigEndian(number), value))
            journal.close()
        }
        #expect(try open().pairs() == expected)
    }

    /// Clients choose values: the image of a record in one is not taken for a record.
    @Test func aValueThatLooksLikeARecordIsNone() throws {
        let journal = try open()
        try journal.put("a", "1", durability: .synced)
        try journal.put("a", "2", durability: .synced)
        let image = Bytes(try Data(contentsOf: URL(fileURLWithPath: path + "/segment-1")))
        // Another journal's third record holds the image of the second one of this.
        let other = TemporaryDirectory().path
        let target = try Journal(path: other, creation: .allowed, segmentSize: smallSegment)
        let padding = Bytes(repeating: 0, count: 512 - 32 - 9 - 1)
        try target.put([Pair([1], padding + image[512..<1024])])
        target.close()
        let file = URL(fileURLWithPath: other + "/segment-1")
        var torn = Bytes(try Data(contentsOf: file))
        torn[0] ^= 1
        try Data(torn).write(to: file)
        let reopened = try Journal(path: other, creation: .forbidden, segmentSize: smallSegment)
        #expect(try reopened.pairs().isEmpty)
    }
}
