package import NIOCore

/// The range of wire versions that one side speaks, and how a connection starts with it:
/// the five letters SYNOD, the smallest version, the largest version.
package struct WireVersions: Hashable, Sendable, CustomStringConvertible {
    /// 1...255.
    package let smallest: UInt8
    /// `smallest`...255.
    package let largest: UInt8

    /// What this build speaks.
    package static let current = WireVersions(2, 2)!

    /// Nil for a range that is empty or starts at zero.
    package init?(_ smallest: UInt8, _ largest: UInt8) {
        guard smallest >= 1, smallest <= largest else { return nil }
        self.smallest = smallest
        self.largest = largest
    }

    package var description: String {
        smallest == largest ? "\(smallest)" : "\(smallest) to \(largest)"
    }

    /// The newest version that both speak, or nil.
    package func newestCommon(with other: WireVersions) -> UInt8? {
        let newest = min(largest, other.largest)
        return newest >= max(smallest, other.smallest) ? newest : nil
    }

    private static let magic: [UInt8] = Array("SYNOD".utf8)

    package func writePreface(into buffer: inout ByteBuffer) {
        buffer.writeBytes(Self.magic)
        buffer.writeInteger(smallest)
        buffer.writeInteger(largest)
    }

    /// Nil until the whole preface has come; a wrong one is refused at its first wrong byte, so
    /// that whoever dialled the wrong port is not kept waiting.
    package static func readPreface(from buffer: inout ByteBuffer) throws(ProtocolViolation)
        -> WireVersions?
    {
        let start = buffer.readableBytesView.prefix(magic.count)
        guard magic.starts(with: start) else {
            throw ProtocolViolation(
                "it does not speak the peer protocol\(guess(from: buffer.readableBytesView))")
        }
        guard buffer.readableBytes >= magic.count + 2 else { return nil }
        buffer.moveReaderIndex(forwardBy: magic.count)
        let (smallest, largest) = buffer.readMultipleIntegers(as: (UInt8, UInt8).self)!
        guard let versions = WireVersions(smallest, largest) else {
            throw ProtocolViolation("wire versions \(smallest) to \(largest) make no sense")
        }
        return versions
    }

    private static func guess(from bytes: ByteBufferView) -> String {
        let methods = ["GET ", "POST", "PUT ", "HEAD", "DELE", "OPTI", "CONN", "PRI "]
        if bytes.starts(with: [0x16, 0x03]) { return " but TLS" }
        if methods.contains(where: { bytes.starts(with: $0.utf8) }) {
            return " but HTTP: this is a peer port, not a client port"
        }
        return ""
    }
}
