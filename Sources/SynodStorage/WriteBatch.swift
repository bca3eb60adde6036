package import SynodBytes

/// Changes that a store applies together, in the order they were added, kept as one flat buffer:
/// an operation costs two copies and no allocation of its own.
package struct WriteBatch: Sendable {
    /// One change. The slices are valid only while they are visited.
    package enum Operation {
        case put(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)
        case delete(key: UnsafeRawBufferPointer)
        /// Every key with `lower <= key < upper`.
        case deleteRange(lower: UnsafeRawBufferPointer, upper: UnsafeRawBufferPointer)
    }

    @usableFromInline enum Tag {
        @usableFromInline static let put: UInt8 = 0
        @usableFromInline static let delete: UInt8 = 1
        @usableFromInline static let deleteRange: UInt8 = 2
    }

    /// tag, key length, value length (both 32 bits, little-endian), key, value; repeated.
    @usableFromInline var buffer: Bytes = []
    /// How many operations.
    @usableFromInline package internal(set) var count = 0

    package init() {}

    package var isEmpty: Bool { count == 0 }

    /// Size of the keys and values with their headers.
    package var byteCount: Int { buffer.count }

    @inlinable
    package mutating func put(_ key: some Collection<UInt8>, _ value: some Collection<UInt8>) {
        append(Tag.put, key, value)
    }

    @inlinable
    /// As the other `put`, without the cost of a generic call.
    package mutating func put(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        append(Tag.put, key, value)
    }

    package mutating func delete(_ key: some Collection<UInt8>) {
        append(Tag.delete, key, EmptyCollection())
    }

    @inlinable
    package mutating func deleteRange(
        from lower: some Collection<UInt8>, to upper: some Collection<UInt8>
    ) {
        append(Tag.deleteRange, lower, upper)
    }

    /// Adds all of another batch's operations behind this one's.
    package mutating func append(_ other: WriteBatch) {
        buffer.append(contentsOf: other.buffer)
        count += other.count
    }

    package mutating func removeAll(keepingCapacity: Bool) {
        buffer.removeAll(keepingCapacity: keepingCapacity)
        count = 0
    }

    /// Visits the operations in order.
    package func forEach(_ body: (Operation) -> Void) {
        buffer.withUnsafeBytes { Self.forEach(in: $0, body) }
    }

    /// The operations as the one buffer that they are, for a store that keeps it like that.
    package func withEncoded(_ body: (UnsafeRawBufferPointer) -> Void) {
        buffer.withUnsafeBytes(body)
    }

    /// Whether a buffer is what ``withEncoded(_:)`` gives out of some batch.
    package static func isWellFormed(_ raw: UnsafeRawBufferPointer) -> Bool {
        var rest = raw.count
        var offset = 0
        while rest > 0 {
            guard rest >= headerSize, raw[offset] <= Tag.deleteRange else { return false }
            let (keyCount, valueCount) = counts(raw, offset)
            guard keyCount <= rest - headerSize, valueCount <= rest - headerSize - keyCount else {
                return false
            }
            let size = headerSize + keyCount + valueCount
            offset += size
            rest -= size
        }
        return true
    }

    /// Visits the operations of a well-formed buffer in order; the slices point into it.
    package static func forEach(in raw: UnsafeRawBufferPointer, _ body: (Operation) -> Void) {
        var offset = 0
        while offset < raw.count {
            let (keyCount, valueCount) = counts(raw, offset)
            let keyStart = offset + headerSize
            let valueStart = keyStart + keyCount
            let key = UnsafeRawBufferPointer(rebasing: raw[keyStart..<valueStart])
            let end = valueStart + valueCount
            let value = UnsafeRawBufferPointer(rebasing: raw[valueStart..<end])
            switch raw[offset] {
            case Tag.put: body(.put(key: key, value: value))
            case Tag.delete: body(.delete(key: key))
            case Tag.deleteRange: body(.deleteRange(lower: key, upper: value))
            default: preconditionFailure("A batch holds only operations that it was given.")
            }
            offset = end
        }
    }

    /// Of an operation's tag and two counts.
    private static let headerSize = 9

    private static func counts(_ raw: UnsafeRawBufferPointer, _ offset: Int) -> (Int, Int) {
        let key = raw.loadUnaligned(fromByteOffset: offset + 1, as: UInt32.self)
        let value = raw.loadUnaligned(fromByteOffset: offset + 5, as: UInt32.self)
        return (Int(UInt32(littleEndian: key)), Int(UInt32(littleEndian: value)))
    }

    @inlinable
    mutating func append(
        _ tag: UInt8, _ key: some Collection<UInt8>, _ value: some Collection<UInt8>
    ) {
        buffer.append(tag)
        withUnsafeBytes(of: UInt32(key.count).littleEndian) { buffer.append(contentsOf: $0) }
        withUnsafeBytes(of: UInt32(value.count).littleEndian) { buffer.append(contentsOf: $0) }
        buffer.append(contentsOf: key)
        buffer.append(contentsOf: value)
        count += 1
    }
}
