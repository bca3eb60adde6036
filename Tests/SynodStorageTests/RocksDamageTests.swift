import Foundation
import SynodBytes
import SynodRocksDB
import SynodStorage
import Testing

/// What becomes of a log store whose files were damaged: it opens with everything that was
/// acknowledged, or it does not open.
@Suite struct RocksDamageTests {
    private enum Outcome: Hashable {
        case intact
        case refused(StorageError.Kind)
        /// Opened with something missing or changed: never acceptable.
        case wrong
    }

    /// A closed log store with synced records in a table file and in the write-ahead log.
    private struct Sample {
        let directory = TemporaryDirectory().path
        let expected: [Pair]

        /// - Parameter filler: MiB to write to one key while the store is open.
        init(filler: Int = 0) throws {
            expected = (0..<120).map { Pair(bigEndian($0), Bytes(repeating: UInt8($0), count: 50)) }
            // Opening a store moves what its write-ahead log holds to a table file.
            for half in [expected[..<60], expected[60...]] {
                let store = try RocksStore(path: directory, kind: .log, creation: .allowed)
                for pair in half { try store.put([pair], durability: .synced) }
                for _ in 0..<filler {
                    let value = Bytes(repeating: 1, count: 1 << 20)
                    try store.put([Pair(bigEndian(0), value)], durability: .synced)
                }
                try store.put([expected[0]], durability: .synced)
                store.close()
            }
        }

        /// The file whose name ends or begins with `part`; the largest if there are several.
        func file(_ part: String) throws -> String {
            let names = try FileManager.default.contentsOfDirectory(atPath: directory)
            let matching = names.filter { $0.hasSuffix(part) || $0.hasPrefix(part) }
            return try #require(matching.max { size($0) < size($1) })
        }

        func size(_ name: String) -> Int {
            let attributes = try? FileManager.default.attributesOfItem(
                atPath: directory + "/" + name)
            return attributes?[.size] as? Int ?? 0
        }

        /// Opens a copy in which one file was changed (nil: removed), and reads everything.
        func outcome(of name: String, _ change: (Data) -> Data?) throws -> Outcome {
            let copy = TemporaryDirectory().path + "/copy"
            try FileManager.default.copyItem(atPath: directory, toPath: copy)
            defer { try? FileManager.default.removeItem(atPath: copy) }
            let file = URL(fileURLWithPath: copy + "/" + name)
            if let changed = change(try Data(contentsOf: file)) {
                try changed.write(to: file)
            } else {
                try FileManager.default.removeItem(at: file)
            }
            do {
                let store = try RocksStore(path: copy, kind: .log, creation: .allowed)
                defer { store.close() }
                return try store.pairs() == expected ? .intact : .wrong
            } catch let error as StorageError {
                #expect(error.message.contains("cannot be trusted"), "\(error)")
                return .refused(error.kind)
            }
        }
    }

    private static let damageable = [".log", ".sst", "MANIFEST", "CURRENT", "DURABLE"]

    @Test(arguments: damageable)
    func aTruncatedFileIsNoticed(_ part: String) throws {
        let sample = try Sample()
        let name = try sample.file(part)
        var outcomes: [Outcome: Int] = [:]
        for step in 0..<12 {
            let outcome = try sample.outcome(of: name) { $0.prefix($0.count * step / 12) }
            outcomes[outcome, default: 0] += 1
            #expect(outcome != .wrong, "\(name) truncated to \(step)/12")
        }
        let shortened = try sample.outcome(of: name) { $0.dropLast(1) }
        #expect(shortened != .wrong)
        #expect(outcomes[.refused(.corrupt), default: 0] > 0)
    }

    @Test(arguments: damageable)
    func aFlippedBitIsNoticed(_ part: String) throws {
        let sample = try Sample()
        let name = try sample.file(part)
        let size = sample.size(name)
        var random = PRNG(seed: UInt64(size))
        var outcomes: [Outcome: Int] = [:]
        for _ in 0..<20 {
            let offset = Int(random.below(UInt64(size)))
            let bit = UInt8(1) << UInt8(random.below(8))
            let outcome = try sample.outcome(of: name) { data in
                var data = data
                data[offset] ^= bit
                return data
            }
            outcomes[outcome, default: 0] += 1
            #expect(outcome != .wrong, "\(name) bit \(bit) of byte \(offset)")
        }
        // The mark has a second slot, and much of its file is unused.
        if part != "DURABLE" { #expect(outcomes[.refused(.corrupt), default: 0] > 10) }
    }

    @Test(arguments: damageable)
    func aRemovedFileIsNoticed(_ part: String) throws {
        let sample = try Sample()
        #expect(try sample.outcome(of: sample.file(part)) { _ in nil } == .refused(.corrupt))
    }

    /// While a store is open, its memory is written to table files again and again, and the logs
    /// that these replace are removed. A manifest that loses the end of that history is noticed.
    @Test func aManifestThatForgotTableFilesIsNoticed() throws {
        let sample = try Sample(filler: 40)
        let name = try sample.file("MANIFEST")
        let size = sample.size(name)
        var refusals = 0
        for step in 1...12 {
            let outcome = try sample.outcome(of: name) { $0.dropLast(size * step / 13) }
            #expect(
                outcome != .wrong, "\(name) without its last \(size * step / 13) of \(size) bytes")
            if outcome == .refused(.corrupt) { refusals += 1 }
        }
        #expect(refusals > 0)
    }

    /// RocksDB takes a shortened last record for one that a crash interrupted, and opens without
    /// it. It is the mark that tells an acknowledged record from an unfinished one.
    @Test func theMarkTellsALostRecordFromAnUnfinishedOne() throws {
        for lastWrite in [Durability.buffered, .synced] {
            let directory = TemporaryDirectory().path
            let store = try RocksStore(path: directory, kind: .log, creation: .allowed)
            try store.put("a", "1", durability: .synced)
            try store.put("b", "2", durability: lastWrite)
            store.close()
            let names = try FileManager.default.contentsOfDirectory(atPath: directory)
            let log = try #require(names.first { $0.hasSuffix(".log") })
            let file = URL(fileURLWithPath: directory + "/" + log)
            try Data(contentsOf: file).dropLast(1).write(to: file)

            func reopen() throws -> [Pair] {
                try RocksStore(path: directory, kind: .log, creation: .forbidden).pairs()
            }
            switch lastWrite {
            case .buffered: #expect(try reopen() == [Pair("a", "1")])
            case .synced:
                let error = #expect(throws: StorageError.self) { try reopen() }
                #expect(error?.kind == .corrupt)
                #expect(error?.message.contains("its last writes are lost") == true)
            }
        }
    }

    /// A store that is missing is made anew only if that is allowed.
    @Test func aMissingStoreIsNotReplacedByAnEmptyOne() throws {
        let path = TemporaryDirectory().path + "/store"
        let error = #expect(throws: StorageError.self) {
            try RocksStore(path: path, kind: .log, creation: .forbidden)
        }
        #expect(error?.kind == .corrupt)
        #expect(!FileManager.default.fileExists(atPath: path))
        _ = try RocksStore(path: path, kind: .log, creation: .allowed)
        #expect(try RocksStore(path: path, kind: .log, creation: .forbidden).pairs().isEmpty)
        try RocksStore.destroy(path: path)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func oneStoreIsOpenedOnce() throws {
        let path = TemporaryDirectory().path
        let store = try RocksStore(path: path, kind: .state, creation: .allowed)
        let error = #expect(throws: StorageError.self) {
            try RocksStore(path: path, kind: .state, creation: .allowed)
        }
        #expect(error?.kind == .locked)
        let view = store.view()
        store.close()
        #expect(throws: StorageError.self) { try store.get("a") }
        #expect(throws: StorageError.self) { try store.put("a", "1") }
        #expect(throws: StorageError.self) { try store.view().pairs() }
        // A view keeps the database open.
        #expect(try view.pairs().isEmpty)
    }
}
