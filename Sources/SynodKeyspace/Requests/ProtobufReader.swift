import SynodBytes

/// Walks the fields of a protobuf message that nobody vouches for.
///
/// Fields come in the order of the wire; the caller skips those it does not know by asking for the
/// next. Groups, which proto3 does not have, are refused.
struct ProtobufReader {
    /// How the wire holds the current field's value.
    private enum Form {
        case varint
        case bytes
        /// Four or eight bytes, which no message of ours uses.
        case fixed
    }

    private var reader: ByteReader
    /// The number of the field that ``next()`` found.
    private(set) var number: UInt32 = 0
    private var form = Form.fixed
    private var varint: UInt64 = 0
    /// Bytes of the current field that nobody has asked for yet.
    private var unread = 0

    init(_ message: ArraySlice<UInt8>) {
        reader = ByteReader(message)
    }

    /// Advances to the next field; false at the end of the message.
    mutating func next() throws(MalformedBytes) -> Bool {
        if unread > 0 {
            _ = try reader.readRaw(unread)
            unread = 0
        }
        if reader.isAtEnd { return false }
        let tag = try reader.readVarint()
        guard tag >> 3 > 0, tag <= UInt64(UInt32.max) else {
            throw MalformedBytes("a field has the number \(tag >> 3)")
        }
        number = UInt32(tag >> 3)
        switch tag & 7 {
        case 0:
            form = .varint
            varint = try reader.readVarint()
        case 1: try skip(8, .fixed)
        case 2: try skip(try reader.readVarint(), .bytes)
        case 5: try skip(4, .fixed)
        default: throw MalformedBytes("field \(number) has the wire type \(tag & 7)")
        }
        return true
    }

    private mutating func skip(_ count: UInt64, _ form: Form) throws(MalformedBytes) {
        guard count <= UInt64(reader.remaining) else {
            throw MalformedBytes("\(count) bytes are announced, \(reader.remaining) are there")
        }
        unread = Int(count)
        self.form = form
    }

    /// The current field's bytes, to be asked for once.
    mutating func bytes() throws(MalformedBytes) -> ArraySlice<UInt8> {
        guard case .bytes = form else { throw wrongType() }
        defer { unread = 0 }
        return try reader.readRaw(unread)
    }

    func uint64() throws(MalformedBytes) -> UInt64 {
        guard case .varint = form else { throw wrongType() }
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
