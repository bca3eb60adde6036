import Foundation
import SynodBytes
import SynodDisk
import SynodStorage
import Testing

/// That the space of a journal comes back, and to whom it does not come back too soon.
@Suite struct JournalSpaceTests {
    private let path = TemporaryDirectory(inMemory: true).path

    private func open(_ segmentSize: Int = smallSegment) throws -> Journal {
        try Journal(path: path, creation: .allowed, segmentSize: segmentSize)
    }

    private func files() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path)
    }

    private func bytesOnDisk() throws -> Int {
        try files().map { name in
            // A spare file may get its final name just now.
            let attributes = try? FileManager.default.attributesOfItem(atPath: path + "/" + name)
            return attributes?[.size] as? Int ?? 0
        }.reduce(0, +)
    }

    /// Entries come at the end and go from the front, as in the log, for many segments' worth.
    @Test func aLogThatIsCutStaysSmall() throws {
        let journal = try open()
        try journal.put("a", "kept", durability: .synced)
        try journal.put("z", "kept too", durability: .synced)
        var mostFiles = 0
        var mostBytes = 0
        for number in 0..<4000 {
            try journal.put(
                [Pair([5] + bigEndian(number), Bytes(repeating: 1, count: 300))],
                durability: .synced)
            if number % 100 == 99 {
                var batch = WriteBatch()
                batch.deleteRange(from: [5] as Bytes, to: [5] + bigEndian(max(0, number - 100)))
                try journal.write(batch, durability: .synced)
                mostFiles = max(mostFiles, try files().count)
                mostBytes = max(mostBytes, try bytesOnDisk())
            }
        }
        // Two hundred records of a sector each, and a few segments more.
        #expect(mostBytes < 200 * 512 * 2)
        #expect(mostFiles < 50)
        let expected =
            (3899..<4000).map { Pair([5] + bigEndian($0), Bytes(repeating: 1, count: 300)) }
            + [Pair("a", "kept"), Pair("z", "kept too")]
        #expect(try journal.pairs() == expected)
        journal.close()
        #expect(try open().pairs() == expected)
        #expect(try files().filter { $0.hasPrefix("spare-") }.count <= 5)
    }

    /// A file that was a segment becomes another one, with its old records in it.
    @Test func segmentsAreUsedAgain() throws {
        let journal = try open()
        func write(_ count: Int) throws {
            for number in 0..<count {
                try journal.put([Pair([1], bigEndian(number))], durability: .synced)
            }
        }
        func inodes() throws -> [Int] {
            try files().filter { $0 != "DURABLE" }.map {
                let attributes = try FileManager.default.attributesOfItem(atPath: path + "/" + $0)
                return try #require(attributes[.systemFileNumber] as? Int)
            }.sorted()
        }
        try write(200)
        let before = try inodes()
        // A second name keeps the file system from giving a removed file's number to a new one.
        let pins = TemporaryDirectory(inMemory: true).path
        for name in try files() {
            try FileManager.default.linkItem(atPath: path + "/" + name, toPath: pins + "/" + name)
        }
        try write(2000)
        #expect(try inodes() == before)
    }

    /// Whatever is rewritten over and over, in whatever pattern, and however much of it is kept for
    /// ever: the files are at most a few times as large as what is live.
    @Test(arguments: [UInt64(1), 2, 3])
    func garbageIsBounded(_ seed: UInt64) throws {
        let journal = try open()
        var random = PRNG(seed: seed)
        let kept = (0..<100).map { Pair([0] + bigEndian($0), Bytes(repeating: 3, count: 450)) }
        for pair in kept { try journal.put([pair], durability: .synced) }
        var bound = 0
        for _ in 0..<3000 {
            let key = [1] + bigEndian(Int(random.below(20)))
            try journal.put(
                [Pair(key, Bytes(repeating: 4, count: Int(random.below(900))))],
                durability: .synced)
            bound = max(bound, try bytesOnDisk())
        }
        #expect(bound < 4 * Int(journal.approximateSize) + 16 * smallSegment)
        #expect(try journal.pairs(to: [1]) == kept)
        journal.close()
        #expect(try open().pairs(to: [1]) == kept)
    }

    @Test func aViewOutlivesTheSegmentsThatItReads() throws {
        let journal = try open()
        let old = (0..<50).map { Pair(bigEndian($0), Bytes(repeating: UInt8($0), count: 200)) }
        for pair in old { try journal.put([pair], durability: .synced) }
        let view = journal.view()
        for round in 0..<400 {
            try journal.put(
                [Pair(bigEndian(round % 50), Bytes(repeating: 0xff, count: 300))],
                durability: .synced)
        }
        #expect(try view.pairs() == old)
        journal.close()
        #expect(try view.pairs() == old)
    }

    @Test func recordsLargerThanASegmentHaveTheirOwn() throws {
        let journal = try open()
        var expected: [Pair] = []
        for (number, size) in [10, 4000, 4096, 10_000, 10, 100_000, 5000].enumerated() {
            let pair = Pair(bigEndian(number), Bytes(incompressible.prefix(size)))
            expected.append(pair)
            try journal.put([pair], durability: number % 2 == 0 ? .synced : .buffered)
        }
        #expect(try journal.pairs() == expected)
        try journal.flush()
        journal.close()
        let again = try open()
        #expect(try again.pairs() == expected)
        var batch = WriteBatch()
        batch.deleteRange(from: [], to: [0xff] as Bytes)
        try again.write(batch, durability: .synced)
        for _ in 0..<20 { try again.put("a", "1", durability: .synced) }
        #expect(try bytesOnDisk() < 16 * smallSegment)
        #expect(try again.pairs() == [Pair("a", "1")])
    }

    /// Opened with another segment size than before, it goes on.
    @Test func theSizeOfSegmentsMayChange() throws {
        var expected: [Pair] = []
        for (round, size) in [4096, 16_384, 4096, 65_536].enumerated() {
            let journal = try open(size)
            #expect(try journal.pairs() == expected)
            for number in 0..<40 {
                let pair = Pair([UInt8(round)] + bigEndian(number), Bytes(repeating: 2, count: 600))
                try journal.put([pair], durability: .synced)
                expected.append(pair)
            }
            journal.close()
        }
        #expect(try open().pairs() == expected)
    }

    /// Deletions that are not durable free nothing: what they delete is there after a crash.
    @Test func unsyncedDeletionsFreeNothing() throws {
        let journal = try open()
        for number in 0..<40 {
            try journal.put([Pair(bigEndian(number), bigEndian(number))], durability: .synced)
        }
        let before = try files().filter { $0.hasPrefix("segment-") }
        var batch = WriteBatch()
        batch.deleteRange(from: bigEndian(0), to: bigEndian(40))
        try journal.write(batch, durability: .buffered)
        #expect(try files().filter { $0.hasPrefix("segment-") } == before)
        try journal.flush()
        #expect(try files().filter { $0.hasPrefix("segment-") }.count < before.count)
    }
}
