import SynodBytes
import SynodPaxos

/// What nodes say to each other beside Paxos: the transfer of a state to a replica that is
/// further behind than the log reaches. The receiver asks for chunk after chunk, so that it sets
/// the pace and can ask again for what was lost.
enum NodeMessage: Hashable, Sendable {
    /// Asks for a chunk. The receiver numbers its transfers, each higher than those before, so
    /// that a request that comes twice or late never starts a transfer anew.
    case snapshotRequest(transfer: UInt64, chunk: UInt64)
    case snapshotChunk(SnapshotChunk)

    private enum Tag {
        static let request = Message.firstForeignTag
        static let chunk = Message.firstForeignTag + 1
    }

    static func isForeign(_ encoded: Bytes) -> Bool {
        encoded.first.map { $0 >= Message.firstForeignTag } ?? false
    }

    var encoded: Bytes {
        switch self {
        case .snapshotRequest(let transfer, let chunk):
            var writer = ByteWriter(capacity: 32)
            writer.write(Tag.request)
            writer.writeVarint(transfer)
            writer.writeVarint(chunk)
            return writer.bytes
        case .snapshotChunk(let chunk):
            var writer = ByteWriter(capacity: chunk.pairs.count + 64)
            writer.write(Tag.chunk)
            writer.writeVarint(chunk.transfer)
            writer.writeVarint(chunk.index)
            writer.write(chunk.through)
            writer.write(UInt8(chunk.isLast ? 1 : 0))
            writer.write(chunk.checksum)
            writer.writePrefixed(chunk.pairs)
            return writer.bytes
        }
    }

    init(encoded: Bytes) throws(MalformedBytes) {
        var reader = ByteReader(encoded)
        switch try reader.read(UInt8.self) {
        case Tag.request:
            self = .snapshotRequest(
                transfer: try reader.readVarint(), chunk: try reader.readVarint())
        case Tag.chunk:
            self = .snapshotChunk(
                SnapshotChunk(
                    transfer: try reader.readVarint(), index: try reader.readVarint(),
                    through: try reader.readSlot(), isLast: try reader.read(UInt8.self) != 0,
                    checksum: try reader.read(), pairs: Array(try reader.readPrefixed())))
        case let tag: throw MalformedBytes("a message of unknown kind \(tag)")
        }
        guard reader.isAtEnd else { throw MalformedBytes("a message with bytes behind its end") }
    }
}

/// A part of a state on its way to another replica.
struct SnapshotChunk: Hashable, Sendable {
    let transfer: UInt64
    /// From 0.
    let index: UInt64
    /// The slot that the state is applied through.
    let through: Slot
    let isLast: Bool
    /// CRC-32C over the pairs of this and all earlier chunks.
    let checksum: UInt32
    /// Keys and values in key order, each behind its length.
    let pairs: Bytes
}
