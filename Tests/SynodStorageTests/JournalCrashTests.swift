import Foundation
import SynodBytes
import SynodDisk
import SynodStorage
import Testing

/// What of a ``Journal`` is there after the process that wrote it was killed.
@Suite struct JournalCrashTests {
    /// A process is killed at a random moment of writing records one by one and cutting the log, so
    /// that segments begin and end all the time, again and again over one journal.
    @Test func syncedWritesSurviveAKill() async throws {
        let site = CrashSite("synced", of: getpid())
        try site.prepare()
        for round in 0..<8 {
            await #expect(processExitsWith: .signal(SIGKILL)) {
                let site = CrashSite("synced", of: getppid())
                let journal = try Journal(
                    path: site.store, creation: .allowed, segmentSize: smallSegment)
                var next = try nextNumber(journal)
                let last = next + Int.random(in: 50...200)
                while true {
                    if next == last { killMyself(withinMilliseconds: 5) }
                    let durability: Durability = next % 3 == 0 ? .buffered : .synced
                    var batch = WriteBatch()
                    batch.put([1] + bigEndian(next), bigEndian(next))
                    batch.deleteRange(from: [1] as Bytes, to: [1] + bigEndian(max(next, 60) - 60))
                    batch.put([2], bigEndian(next))
                    try journal.write(batch, durability: durability)
                    next += 1
                    if durability == .synced { try site.note(next) }
                }
            }
            let journal = try Journal(
                path: site.store, creation: .forbidden, segmentSize: smallSegment)
            let next = try nextNumber(journal)
            let expected =
                (max(0, next - 61)..<next).map { Pair([1] + bigEndian($0), bigEndian($0)) }
                + [Pair([2], bigEndian(next - 1))]
            #expect(try journal.pairs() == expected)
            #expect(try next >= site.noted())
            #expect(try site.noted() > round)
            journal.close()
        }
    }
}

/// The number after the last one that was written.
private func nextNumber(_ journal: Journal) throws -> Int {
    guard let last = try journal.get([2]) else { return 0 }
    var reader = ByteReader(last)
    return Int(try reader.readBigEndian(UInt64.self)) + 1
}
