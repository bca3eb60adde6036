package import SynodBytes

/// Walks the fields of a protobuf message that nobody vouches for.
///
/// Fields come in the order of the wire; the caller skips those it does not know by asking for the
/// next. Groups, which proto3 does not have, are refused.
struct ProtobufReader {
    /// One field's value as the wire holds it.
    enum Value {
        case varint(UInt64)
        case bytes(ArraySlice<UInt8>)
        /// Four or eight bytes, which no message of ours uses.
        case fixed
    }

    private var reader: ByteReader
    /// The number of the field that ``next()`` found.
    private(set) var number: UInt32 = 0
    private var value = Value.fixed

    init(_ message: ArraySlice<UInt8>) {
        reader = ByteReader(message)
    }

    /// Advances to the next field; false at the end of the message.
    mutating func next() throws(MalformedBytes) -> Bool {
        if reader.isAtEnd { return false }
        let tag = try reader.readVarint()
        guard tag >> 3 > 0, tag <= UInt64(UInt32.max) else {
            throw MalformedBytes("a field has the number \(tag >> 3)")
        }
        number = UInt32(tag >> 3)
        switch tag & 7 {
        case 0: value = .varint(try reader.readVarint())
        case 1:
            _ = try reader.readRaw(8)
            value = .fixed
        case 2: value = .bytes(try reader.readPrefixed())
        case 5:
            _ = try reader.readRaw(4)
            value = .fixed
        default: throw MalformedBytes("field \(number) has the wire type \(tag & 7)")
        }
        return true
    }

    func bytes() throws(MalformedBytes) -> ArraySlice<UInt8> {
        guard case .bytes(let bytes) = value else { throw wrongType() }
        return bytes
    }

    func uint64() throws(MalformedBytes) -> UInt64 {
        guard case .varint(let varint) = value else { throw wrongType() }
        return varint
    }

    func int64() throws(MalformedBytes) -> Int64 {
        Int64(bitPattern: try uint64())
    }

    func bool() throws(MalformedBytes) -> Bool {
        try uint64() != 0
    }

    /// An enumeration's number, cut to 32 bits as protobuf prescribes.
    func int32() throws(MalformedBytes) -> Int32 {
        Int32(truncatingIfNeeded: try uint64())
    }

    private func wrongType() -> MalformedBytes {
        MalformedBytes("field \(number) has another type than expected")
    }
}
