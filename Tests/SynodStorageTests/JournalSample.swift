import Foundation
import SynodBytes
import SynodDisk
import SynodStorage
import Testing

/// A closed journal that was used for a while, and what becomes of copies of it that are damaged.
struct JournalSample {
    enum Outcome: Hashable {
        case intact
        case refused(StorageError.Kind)
        /// Opened with something missing or changed: never acceptable.
        case wrong
    }

    let directory = TemporaryDirectory(inMemory: true).path
    /// The directory as it was some records before.
    let earlier = TemporaryDirectory(inMemory: true).path + "/earlier"
    let expected: [Pair]

    /// Synced records in about twenty small segments, most of which are recycled files; the last
    /// one is partly filled, with stale records behind.
    init() throws {
        let journal = try Journal(
            path: directory, creation: .allowed, segmentSize: smallSegment)
        try journal.put("the first key", "is moved on", durability: .synced)
        for number in 0..<300 {
            try journal.put(
                [Pair(bigEndian(number), Bytes(repeating: UInt8(number % 251), count: 400))],
                durability: .synced)
            if number % 40 == 39 {
                var batch = WriteBatch()
                batch.deleteRange(from: bigEndian(0), to: bigEndian(max(0, number - 120)))
                try journal.write(batch, durability: .synced)
            }
            if number == 280 {
                try FileManager.default.copyItem(atPath: directory, toPath: earlier)
            }
        }
        expected = try journal.pairs()
        journal.close()
    }

    /// The segments, oldest first.
    var segments: [String] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: directory)
                .filter { $0.hasPrefix("segment-") }.sorted { Self.number($0) < Self.number($1) }
        }
    }

    private static func number(_ name: String) -> Int {
        Int(name.drop { $0 != "-" }.dropFirst()) ?? 0
    }

    func content(_ name: String) throws -> Bytes {
        Bytes(try Data(contentsOf: URL(fileURLWithPath: directory + "/" + name)))
    }

    /// Opens a copy in which one file was changed (nil: removed), and reads everything.
    func outcome(of name: String, _ change: (Bytes) throws -> Bytes?) throws -> Outcome {
        try outcome { copy in
            let file = URL(fileURLWithPath: copy + "/" + name)
            if let changed = try change(try content(name)) {
                try Data(changed).write(to: file)
            } else {
                try FileManager.default.removeItem(at: file)
            }
        }
    }

    /// Opens a copy that was changed, reads everything, and goes on with it.
    func outcome(_ change: (_ copy: String) throws -> Void) throws -> Outcome {
        let copy = TemporaryDirectory(inMemory: true).path + "/copy"
        try FileManager.default.copyItem(atPath: directory, toPath: copy)
        defer { try? FileManager.default.removeItem(atPath: copy) }
        try change(copy)
        do {
            var expected = expected
            for round in 0..<2 {
                let journal = try Journal(
                    path: copy, creation: .allowed, segmentSize: smallSegment)
                defer { journal.close() }
                guard try journal.pairs() == expected else { return .wrong }
                let more = Pair([0xff, UInt8(round)], Bytes(repeating: 1, count: 600))
                try journal.put([more], durability: .synced)
                expected.append(more)
            }
            return .intact
        } catch let error as StorageError {
            if error.kind == .corrupt {
                #expect(error.message.contains("cannot be trusted"), "\(error)")
            }
            return .refused(error.kind)
        }
    }
}
