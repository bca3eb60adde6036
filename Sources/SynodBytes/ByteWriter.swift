/// Bytes as the pure modules know them.
package typealias Bytes = [UInt8]

/// Appends integers and byte strings to a growing buffer, little-endian unless a name says otherwise.
///
/// The counterpart of ``ByteReader``; every format of our own (log records, peer messages,
/// commands) is written with it.
package struct ByteWriter: Sendable {
    /// What has been written so far.
    package var bytes: Bytes

    @inlinable
    package init(capacity: Int = 0) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    @inlinable
    package var count: Int { bytes.count }

    @inlinable
    package mutating func write(_ value: UInt8) {
        bytes.append(value)
    }

    @inlinable
    package mutating func write<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    @inlinable
    package mutating func writeBigEndian<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    /// An unsigned LEB128 integer of one to ten bytes, as in protobuf.
    @inlinable
    package mutating func writeVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    @inlinable
    package mutating func writeRaw(_ raw: some Collection<UInt8>) {
        bytes.append(contentsOf: raw)
    }

    @inlinable
    package mutating func writeRaw(_ raw: UnsafeRawBufferPointer) {
        bytes.append(contentsOf: raw)
    }

    /// A byte string behind its length as a varint.
    @inlinable
    package mutating func writePrefixed(_ raw: some Collection<UInt8>) {
        writeVarint(UInt64(raw.count))
        bytes.append(contentsOf: raw)
    }

    /// Overwrites a little-endian integer written earlier, for lengths and checksums known late.
    @inlinable
    package mutating func overwrite<T: FixedWidthInteger>(_ value: T, at offset: Int) {
        precondition(
            offset >= 0 && offset + MemoryLayout<T>.size <= bytes.count,
            "An overwritten integer lies within what was written.")
        withUnsafeBytes(of: value.littleEndian) { source in
            for index in source.indices { bytes[offset + index] = source[index] }
        }
    }

    @inlinable
    package mutating func removeAll(keepingCapacity: Bool) {
        bytes.removeAll(keepingCapacity: keepingCapacity)
    }
}
