import NIOCore
import SynodTransport

/// Cuts a stream between members into the pieces that a fault applies to: the preface, if the stream
/// has one, and frames.
///
/// It reads no more of the protocol than where a frame ends, what kind it is and who says hello.
struct FrameCutter {
    struct Piece {
        var bytes: ByteBuffer
        /// Messages, which may be lost, rather than a part of the handshake, which TCP would repeat.
        let isMessages: Bool
        /// The member that a hello or a join introduces.
        let sender: UInt64?
    }

    private static let prefaceBytes = 7

    private var buffered = ByteBuffer()
    private var awaitsPreface: Bool

    init(hasPreface: Bool) {
        awaitsPreface = hasPreface
    }

    mutating func feed(_ bytes: inout ByteBuffer) {
        buffered.writeBuffer(&bytes)
    }

    /// The next whole piece, or nil until there is one.
    mutating func next() -> Piece? {
        if awaitsPreface {
            guard let bytes = buffered.readSlice(length: Self.prefaceBytes) else { return nil }
            awaitsPreface = false
            return Piece(bytes: bytes, isMessages: false, sender: nil)
        }
        let start = buffered.readerIndex
        guard
            let length = buffered.getInteger(at: start, endianness: .little, as: UInt32.self),
            let bytes = buffered.readSlice(length: Frame.headerBytes + Int(length))
        else { return nil }
        buffered.discardReadBytes()
        let kindIndex = bytes.readerIndex + Frame.headerBytes
        let kind = bytes.getInteger(at: kindIndex, as: UInt8.self)
        // Both begin with the identity: the cluster's id and then the member's.
        let sender =
            kind == Frame.Kind.hello || kind == Frame.Kind.join
            ? bytes.getInteger(at: kindIndex + 1 + 8, endianness: .little, as: UInt64.self) : nil
        return Piece(bytes: bytes, isMessages: kind == Frame.Kind.messages, sender: sender)
    }
}
