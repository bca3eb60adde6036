import Foundation
import SynodBytes
import SynodDisk
import SynodStorage
import Testing

/// What becomes of a journal whose files were damaged: it opens with everything that was
/// acknowledged, or it does not open.
@Suite struct JournalDamageTests {
    private let sample: JournalSample

    init() throws {
        sample = try JournalSample()
    }

    @Test func theSampleIsWhatItIsMeantToBe() throws {
        #expect(try sample.outcome { _ in } == .intact)
        let segments = try sample.segments
        #expect(segments.count > 15)
        #expect(!segments.contains("segment-1"))
        #expect(sample.expected.last == Pair("the first key", "is moved on"))
    }

    @Test func aTruncatedFileIsNoticed() throws {
        for name in try sample.segments + ["DURABLE"] {
            let size = try sample.content(name).count
            var outcomes: [JournalSample.Outcome: Int] = [:]
            for step in 0..<16 {
                let outcome = try sample.outcome(of: name) {
                    Bytes($0.prefix(size * step / 16 + step))
                }
                outcomes[outcome, default: 0] += 1
                #expect(outcome != .wrong, "\(name) truncated to \(step)/16")
            }
            #expect(outcomes[.refused(.corrupt), default: 0] > 0, "\(name)")
        }
    }

    @Test func aZeroedTailIsNoticed() throws {
        for name in try sample.segments {
            for kept in stride(from: 0, to: smallSegment, by: 256) {
                let outcome = try sample.outcome(of: name) {
                    $0.prefix(kept) + Bytes(repeating: 0, count: $0.count - kept)
                }
                #expect(outcome != .wrong, "\(name) zeroed from \(kept)")
                if kept == 0 { #expect(outcome == .refused(.corrupt)) }
            }
        }
    }

    @Test func aFlippedBitIsNoticed() throws {
        var random = PRNG(seed: 1)
        var refused = 0
        for name in try sample.segments {
            for _ in 0..<60 {
                let bit = Int(random.below(UInt64(smallSegment) * 8))
                let outcome = try sample.outcome(of: name) { $0.flipping(bit) }
                #expect(outcome != .wrong, "\(name) bit \(bit)")
                if outcome == .refused(.corrupt) { refused += 1 }
            }
        }
        // Most of each sector is a record; the rest is zeros that mean nothing.
        #expect(refused > 500)
    }

    @Test func noBitOfTheFirstMiddleOrLastRecordCanBeFlippedUnnoticed() throws {
        let segments = try sample.segments
        for name in [segments[0], segments[segments.count / 2], try #require(segments.last)] {
            let bytes = try sample.content(name)
            let used = 32 + Int(bytes[4]) + Int(bytes[5]) << 8
            for bit in stride(from: 0, to: used * 8, by: 3) {
                let outcome = try sample.outcome(of: name) { $0.flipping(bit) }
                #expect(outcome == .refused(.corrupt), "\(name) bit \(bit)")
            }
        }
    }

    @Test func aRemovedFileIsNoticed() throws {
        for name in try sample.segments + ["DURABLE"] {
            #expect(try sample.outcome(of: name) { _ in nil } == .refused(.corrupt), "\(name)")
        }
    }

    @Test func swappedSegmentsAreNoticed() throws {
        let segments = try sample.segments
        for (left, right) in [(0, 1), (3, 9), (segments.count - 2, segments.count - 1)] {
            let contents = (try sample.content(segments[left]), try sample.content(segments[right]))
            let outcome = try sample.outcome { copy in
                try Data(contents.1).write(to: URL(fileURLWithPath: copy + "/" + segments[left]))
                try Data(contents.0).write(to: URL(fileURLWithPath: copy + "/" + segments[right]))
            }
            #expect(outcome == .refused(.corrupt))
        }
    }

    @Test func anotherJournalsSegmentIsNoticed() throws {
        let other = try JournalSample()
        let name = try sample.segments[4]
        let foreign = try other.content(name)
        #expect(try sample.outcome(of: name) { _ in foreign } == .refused(.corrupt))
    }

    /// A file is taken back to what it was some records ago. What the others show is enough to
    /// notice, unless nothing was lost.
    @Test func anOldCopyOfAFileIsNoticed() throws {
        var refused = 0
        for name in try sample.segments + ["DURABLE"] {
            let old = sample.earlier + "/" + name
            guard let bytes = FileManager.default.contents(atPath: old) else { continue }
            let isChanged = try Bytes(bytes) != sample.content(name)
            let outcome = try sample.outcome(of: name) { _ in Bytes(bytes) }
            #expect(outcome != .wrong, "\(name)")
            if isChanged, name != "DURABLE" {
                #expect(outcome == .refused(.corrupt), "\(name)")
                refused += 1
            }
        }
        #expect(refused > 0)
    }

    /// After a power cut the mark may be of some time ago. Then it is the records behind it that
    /// show that a damaged one was acknowledged; only the very last one has none behind it.
    @Test func damageInTheMiddleIsNoticedWithAnOldMark() throws {
        let mark = try Data(contentsOf: URL(fileURLWithPath: sample.earlier + "/DURABLE"))
        #expect(try sample.outcome(of: "DURABLE") { _ in Bytes(mark) } == .intact)
        let segments = try sample.segments
        for (name, sector) in [
            (segments[segments.count - 2], 7), (segments[segments.count - 1], 0),
        ] {
            let outcome = try sample.outcome { copy in
                try mark.write(to: URL(fileURLWithPath: copy + "/DURABLE"))
                try Data(sample.content(name).flipping(sector * 512 * 8 + 400))
                    .write(to: URL(fileURLWithPath: copy + "/" + name))
            }
            #expect(outcome == .refused(.corrupt), "\(name)")
        }
    }

    @Test func eitherSlotOfTheMarkIsEnough() throws {
        let whole = try sample.content("DURABLE")
        for bit in stride(from: 0, to: 48 * 8, by: 5) {
            for slot in [0, 4096] {
                let outcome = try sample.outcome(of: "DURABLE") { $0.flipping(slot * 8 + bit) }
                #expect(outcome == .intact, "bit \(bit) of the slot at \(slot)")
            }
            let outcome = try sample.outcome(of: "DURABLE") { _ in
                whole.flipping(bit).flipping(4096 * 8 + bit)
            }
            #expect(outcome == .refused(.corrupt))
        }
    }

    @Test func aForeignFileIsRefusedAndASpareOneIsNotMissed() throws {
        let foreign = try sample.outcome { copy in
            try Data().write(to: URL(fileURLWithPath: copy + "/notes.txt"))
        }
        #expect(foreign == .refused(.unsuitable))
        let names = try FileManager.default.contentsOfDirectory(atPath: sample.directory)
        let spares = names.filter { $0.hasPrefix("spare-") }
        #expect(!spares.isEmpty)
        for name in spares {
            #expect(try sample.outcome(of: name) { _ in nil } == .intact)
            #expect(try sample.outcome(of: name) { Bytes($0.dropLast(1)) } == .intact)
        }
        let unfinished = try sample.outcome { copy in
            try Data([1]).write(to: URL(fileURLWithPath: copy + "/spare-99.new"))
        }
        #expect(unfinished == .intact)
    }

    /// A crash came when the mark said that a segment is not needed and it was not gone yet.
    @Test func aSegmentThatIsNotNeededAnyMoreIsNotRead() throws {
        let outcome = try sample.outcome { copy in
            let bytes = try sample.content(sample.segments[0])
            try Data(bytes).write(to: URL(fileURLWithPath: copy + "/segment-1"))
        }
        #expect(outcome == .intact)
    }

    @Test func theLogOfAnEarlierReleaseIsRefusedInSoManyWords() throws {
        let path = TemporaryDirectory().path
        try RocksStore(path: path, creation: .allowed).close()
        for creation in [StoreCreation.allowed, .forbidden] {
            let error = #expect(throws: StorageError.self) {
                try Journal(path: path, creation: creation)
            }
            #expect(error?.kind == .unsuitable)
            #expect(error?.message.contains("format of an earlier release") == true)
        }
    }

    @Test func aMissingJournalIsNotReplacedByAnEmptyOne() throws {
        let path = TemporaryDirectory().path + "/log"
        let error = #expect(throws: StorageError.self) {
            try Journal(path: path, creation: .forbidden)
        }
        #expect(error?.kind == .corrupt)
        #expect(!FileManager.default.fileExists(atPath: path))
        _ = try Journal(path: path, creation: .allowed)
        #expect(try Journal(path: path, creation: .forbidden).pairs().isEmpty)
    }

    /// Bits that rot while the journal is open are noticed by whoever reads them.
    @Test func aValueThatChangedIsNotReturned() throws {
        let path = TemporaryDirectory().path
        let journal = try Journal(path: path, creation: .allowed, segmentSize: smallSegment)
        try journal.put("a", "precious", durability: .synced)
        let file = URL(fileURLWithPath: path + "/segment-1")
        var bytes = try Data(contentsOf: file)
        let value = try #require(bytes.range(of: Data("precious".utf8)))
        bytes[value.lowerBound] ^= 1
        let handle = try FileHandle(forWritingTo: file)
        try handle.write(contentsOf: bytes)
        try handle.close()
        for read in [{ _ = try journal.get("a") }, { _ = try journal.pairs() }] {
            let error = #expect(throws: StorageError.self) { try read() }
            #expect(error?.kind == .corrupt)
        }
    }
}

extension Bytes {
    /// With one bit changed.
    func flipping(_ bit: Int) -> Bytes {
        var changed = self
        changed[bit / 8] ^= 1 << UInt8(bit % 8)
        return changed
    }
}
