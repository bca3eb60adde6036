import Foundation
import SynodBytes
import SynodDisk
import SynodStorage
import Testing

/// A write that is cut anywhere: what is there after the next opening is exactly the batches whose
/// records are whole, each of them whole, or the loss of one that was acknowledged is reported.
@Suite struct JournalTornTests {
    /// What is behind the place where the last segment is torn.
    enum Tail: CaseIterable {
        /// The file ends there.
        case missing
        case zeros
        case garbage
    }

    private static let synced = 3
    private let path = TemporaryDirectory(inMemory: true).path + "/log"
    private let copy = TemporaryDirectory(inMemory: true).path + "/copy"
    /// Where the record of each batch ends, the padding behind it left out; and what is there when
    /// that many batches are.
    private let ends: [Int]
    private let states: [[Pair]]

    /// Three acknowledged batches and three that are not, all in one segment, of one sector or two.
    init() throws {
        let journal = try Journal(path: path, creation: .allowed, segmentSize: smallSegment)
        var ends: [Int] = []
        var states = [try journal.pairs()]
        var offset = 0
        for (number, size) in [10, 200, 300, 1, 466, 40].enumerated() {
            var batch = WriteBatch()
            batch.put(bigEndian(number), Bytes(repeating: UInt8(number + 1), count: size))
            batch.put([0xff], bigEndian(number))
            if number == 4 { batch.deleteRange(from: bigEndian(1), to: bigEndian(3)) }
            try journal.write(batch, durability: number < Self.synced ? .synced : .buffered)
            states.append(try journal.pairs())
            let bytes = Bytes(try Data(contentsOf: URL(fileURLWithPath: path + "/segment-1")))
            let count = (0..<4).reduce(0) { $0 | Int(bytes[offset + 4 + $1]) << (8 * $1) }
            ends.append(offset + 32 + count)
            offset += (32 + count + 511) / 512 * 512
        }
        journal.close()
        try #require(offset < smallSegment)
        self.ends = ends
        self.states = states
    }

    @Test(arguments: Tail.allCases)
    func aTornSegmentHoldsAPrefixOfTheBatches(_ tail: Tail) throws {
        var random = PRNG(seed: 1)
        let whole = Bytes(try Data(contentsOf: URL(fileURLWithPath: path + "/segment-1")))
        try FileManager.default.copyItem(atPath: path, toPath: copy)
        let mark = try Data(contentsOf: URL(fileURLWithPath: path + "/DURABLE"))
        let last = try #require(ends.last)
        for place in 0...last {
            var torn = Bytes(whole.prefix(place))
            switch tail {
            case .missing: break
            case .zeros: torn += Bytes(repeating: 0, count: whole.count - place)
            case .garbage:
                // The first byte is another one for certain.
                torn += whole[place...].map { _ in UInt8(random.below(256)) }
                if place < last { torn[place] = whole[place] ^ UInt8(1 + random.below(255)) }
            }
            // An opening goes on from what it finds, so that each has the files as they were.
            try Data(torn).write(to: URL(fileURLWithPath: copy + "/segment-1"))
            try mark.write(to: URL(fileURLWithPath: copy + "/DURABLE"))
            try expectPrefix(of: torn, whole, tornAt: place)
        }
    }

    private func expectPrefix(of torn: Bytes, _ whole: Bytes, tornAt place: Int) throws {
        // Zeros behind the place may be what was there before.
        let count = ends.count { end in
            end <= torn.count && torn[..<end] == whole[..<end]
        }
        do {
            let journal = try Journal(
                path: copy, creation: .forbidden, segmentSize: smallSegment)
            defer { journal.close() }
            #expect(count >= Self.synced, "torn at \(place)")
            #expect(try journal.pairs() == states[count], "torn at \(place)")
        } catch let error as StorageError {
            #expect(error.kind == .corrupt, "torn at \(place): \(error)")
            #expect(count < Self.synced, "torn at \(place): \(error)")
        }
    }
}
