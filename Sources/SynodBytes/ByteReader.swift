/// Why bytes could not be read: they end early, or a number in them is out of its range.
package struct MalformedBytes: Error, Equatable, Sendable {
    package let reason: String

    @inlinable
    package init(_ reason: String) {
        self.reason = reason
    }
}

/// Reads what ``ByteWriter`` wrote, from bytes that nobody vouches for: every length is checked
/// against what is there, so that no input can trap or read past the end.
package struct ByteReader: Sendable {
    @usableFromInline let bytes: ArraySlice<UInt8>
    /// Index into `bytes` of the next byte.
    @usableFromInline var index: Int

    @inlinable
    package init(_ bytes: Bytes) {
        self.init(bytes[...])
    }

    @inlinable
    package init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        index = bytes.startIndex
    }

    @inlinable
    package var remaining: Int { bytes.endIndex - index }

    @inlinable
    package var isAtEnd: Bool { index == bytes.endIndex }

    @inlinable
    package mutating func read<T: FixedWidthInteger & BitwiseCopyable>(
        _ type: T.Type = T.self
    ) throws(MalformedBytes) -> T {
        T(littleEndian: try load(type))
    }

    @inlinable
    package mutating func readBigEndian<T: FixedWidthInteger & BitwiseCopyable>(
        _ type: T.Type = T.self
    ) throws(MalformedBytes) -> T {
        T(bigEndian: try load(type))
    }

    @inlinable
    package mutating func readVarint() throws(MalformedBytes) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 64 {
            guard index < bytes.endIndex else { throw MalformedBytes("a varint is cut off") }
            let byte = bytes[index]
            index += 1
            if shift == 63 && byte > 1 { throw MalformedBytes("a varint is larger than 64 bits") }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw MalformedBytes("a varint is longer than ten bytes")
    }

    @inlinable
    package mutating func readRaw(_ count: Int) throws(MalformedBytes) -> ArraySlice<UInt8> {
        guard count >= 0, count <= remaining else {
            throw MalformedBytes("\(count) bytes are announced and \(remaining) are there")
        }
        defer { index += count }
        return bytes[index..<index + count]
    }

    /// A byte string behind its length as a varint.
    @inlinable
    package mutating func readPrefixed() throws(MalformedBytes) -> ArraySlice<UInt8> {
        let count = try readVarint()
        guard count <= UInt64(remaining) else {
            throw MalformedBytes("\(count) bytes are announced and \(remaining) are there")
        }
        return try readRaw(Int(count))
    }

    /// A count of items that follow, each at least one byte long, so that a forged count cannot
    /// make the caller reserve memory beyond the message's own size.
    @inlinable
    package mutating func readCount() throws(MalformedBytes) -> Int {
        let count = try readVarint()
        guard count <= UInt64(remaining) else {
            throw MalformedBytes("\(count) items are announced in \(remaining) bytes")
        }
        return Int(count)
    }

    // Inlinable as its callers are: called from another module it would be the generic one, which is
    // many times slower.
    @inlinable
    mutating func load<T: FixedWidthInteger & BitwiseCopyable>(
        _: T.Type
    ) throws(MalformedBytes) -> T {
        let size = MemoryLayout<T>.size
        guard size <= remaining else { throw MalformedBytes("an integer is cut off") }
        let offset = index - bytes.startIndex
        index += size
        return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: T.self) }
    }
}
