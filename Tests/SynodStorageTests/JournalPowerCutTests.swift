import Foundation
import SynodBytes
import SynodDisk
import SynodStorage
import Testing

/// Power cuts: of what was written since the last sync, each sector is on the disk, or is not, or
/// is spoilt, independently of the others.
@Suite struct JournalPowerCutTests {
    private static let segmentSize = 32_768

    /// A random history with a power cut after every few writes, over one journal that goes on
    /// from what each cut has left.
    @Test(arguments: (1...12).map { UInt64($0) })
    func everythingSyncedSurvives(_ seed: UInt64) throws {
        var random = PRNG(seed: seed)
        var path = TemporaryDirectory(inMemory: true).path
        var state: [Bytes: Bytes] = [:]
        var cuts = 0
        var losses = 0
        for _ in 0..<60 {
            let journal = try Journal(
                path: path, creation: .allowed, segmentSize: Self.segmentSize)
            #expect(try journal.pairs() == sorted(state))
            for _ in 0..<random.below(12) {
                try write(&random, to: journal, &state)
            }
            try journal.flush()
            let durable = try DiskImage(path)
            var possible = [state]
            for _ in 0..<random.below(8) {
                try write(&random, to: journal, &state, .buffered)
                possible.append(state)
            }
            let volatile = try DiskImage(path)
            journal.close()
            // A segment that was begun meanwhile brought syncs with it.
            guard volatile.names == durable.names else { continue }
            path = TemporaryDirectory(inMemory: true).path
            try durable.cut(before: volatile, &random).write(to: path)
            let survivor = try Journal(
                path: path, creation: .forbidden, segmentSize: Self.segmentSize)
            let found = try survivor.pairs()
            survivor.close()
            let kept = try #require(
                possible.lastIndex { sorted($0) == found }, "seed \(seed): not a state that was")
            cuts += 1
            if kept < possible.count - 1 { losses += 1 }
            state = possible[kept]
        }
        #expect(cuts > 20)
        #expect(losses > 5)
    }

    private func write(
        _ random: inout PRNG, to journal: Journal, _ state: inout [Bytes: Bytes],
        _ durability: Durability? = nil
    ) throws {
        var batch = WriteBatch()
        for _ in 0...random.below(3) {
            let key = bigEndian(Int(random.below(30)))
            if random.chance(1, in: 5) {
                let upper = bigEndian(Int(random.below(30)))
                batch.deleteRange(from: key, to: upper)
                state = state.filter {
                    $0.key.lexicographicallyPrecedes(key)
                        || !$0.key.lexicographicallyPrecedes(upper)
                }
            } else {
                // Often of the same size, so that records lie where others lay before a cut.
                let value = Bytes(
                    repeating: UInt8(random.below(256)),
                    count: random.chance(3, in: 4) ? 40 : Int(random.below(1500)))
                batch.put(key, value)
                state[key] = value
            }
        }
        try journal.write(
            batch, durability: durability ?? (random.chance(1, in: 2) ? .synced : .buffered))
    }

    private func sorted(_ state: [Bytes: Bytes]) -> [Pair] {
        state.map { Pair($0.key, $0.value) }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    }
}

/// The files of a journal.
private struct DiskImage {
    private var files: [String: Bytes] = [:]

    init(_ path: String) throws {
        // Spare files mean nothing, and one of them may get its name just now.
        for name in try FileManager.default.contentsOfDirectory(atPath: path)
        where !name.hasPrefix("spare-") {
            files[name] = Bytes(try Data(contentsOf: URL(fileURLWithPath: path + "/" + name)))
        }
    }

    var names: [String] { files.keys.sorted() }

    func write(to path: String) throws {
        for (name, bytes) in files {
            try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
        }
    }

    /// What a power cut may leave between this, which is durable, and a later image. The mark's
    /// slots are overwritten one after the other, so at most one of them is spoilt.
    func cut(before later: DiskImage, _ random: inout PRNG) -> DiskImage {
        var left = self
        for name in names {
            guard var bytes = left.files[name], let new = later.files[name] else { continue }
            var mayBeSpoilt = true
            for start in stride(from: 0, to: bytes.count, by: 512) {
                let sector = start..<min(start + 512, bytes.count)
                guard bytes[sector] != new[sector] else { continue }
                switch random.below(mayBeSpoilt ? 8 : 6) {
                case 0, 1: break
                case 6: bytes.replaceSubrange(sector, with: sector.map { _ in 0 })
                case 7:
                    bytes.replaceSubrange(
                        sector, with: sector.map { _ in UInt8(random.below(256)) })
                default: bytes.replaceSubrange(sector, with: new[sector])
                }
                if name == "DURABLE" { mayBeSpoilt = false }
            }
            left.files[name] = bytes
        }
        return left
    }
}
