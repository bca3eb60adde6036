import SynodBytes

// Writing protobuf's fields. As proto3 prescribes, a scalar that is zero and a byte string that is
// empty are left out.
extension ByteWriter {
    @inline(__always)
    private mutating func writeTag(_ number: UInt64, wireType: UInt64) {
        writeVarint(number << 3 | wireType)
    }

    mutating func writeField(_ number: UInt64, _ value: UInt64) {
        guard value != 0 else { return }
        writeTag(number, wireType: 0)
        writeVarint(value)
    }

    mutating func writeField(_ number: UInt64, _ value: Int64) {
        writeField(number, UInt64(bitPattern: value))
    }

    mutating func writeField(_ number: UInt64, _ value: Bool) {
        writeField(number, UInt64(value ? 1 : 0))
    }

    mutating func writeField(_ number: UInt64, _ value: ArraySlice<UInt8>) {
        guard !value.isEmpty else { return }
        writeMessage(number, value)
    }

    /// A complete message as a field: unlike a byte string it is written even when empty.
    mutating func writeMessage(_ number: UInt64, _ message: ArraySlice<UInt8>) {
        writeTag(number, wireType: 2)
        writeVarint(UInt64(message.count))
        message.withUnsafeBytes { writeRaw($0) }
    }

    /// Opens a message whose length is not known yet; what is written until ``endMessage(_:)`` is
    /// its content. Returns what that call needs.
    mutating func beginMessage(_ number: UInt64) -> Int {
        writeTag(number, wireType: 2)
        bytes.append(0)
        return bytes.count
    }

    /// Closes the message whose content began at `start`. Most are shorter than 128 bytes and fit
    /// the one byte left for their length; longer ones are moved up.
    mutating func endMessage(_ start: Int) {
        var rest = bytes.count - start
        guard rest >= 0x80 else {
            bytes[start - 1] = UInt8(rest)
            return
        }
        bytes[start - 1] = UInt8(truncatingIfNeeded: rest) | 0x80
        rest >>= 7
        var more: Bytes = []
        while rest >= 0x80 {
            more.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        more.append(UInt8(rest))
        bytes.insert(contentsOf: more, at: start)
    }
}
