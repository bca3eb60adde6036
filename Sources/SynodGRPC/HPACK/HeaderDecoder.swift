package import NIOCore

/// Reads the header blocks of requests (RFC 7541): one for each connection, since blocks refer to
/// the fields of those before.
package struct HeaderDecoder {
    private var table: HeaderTable
    private let methods: MethodTable
    private let listLimit: Int
    /// The text of the present literal: its name, then its value. Kept for its memory.
    private var text: [UInt8] = []

    /// - Parameter listLimit: The largest size of a block's fields, in bytes.
    package init(methods: MethodTable, listLimit: Int) {
        self.methods = methods
        self.listLimit = listLimit
        table = HeaderTable(methods: methods)
    }

    package mutating func decode(_ block: ByteBuffer) throws(ConnectionError) -> RequestHead {
        let bytes = block.readableBytesUInt8Span
        var head = RequestHead()
        var listSize = 0
        var offset = 0
        while offset < bytes.count {
            let entry: HeaderEntry
            switch bytes[offset] {
            case 0x80...:
                entry = try self.entry(readInteger(bytes, &offset, prefixBits: 7))
            case 0x40..<0x80:
                entry = try readLiteral(bytes, &offset, prefixBits: 6)
                table.insert(entry)
            case 0x20..<0x40:
                // Only what comes first may change the table's size (section 4.2).
                guard listSize == 0,
                    try table.resize(to: readInteger(bytes, &offset, prefixBits: 5))
                else {
                    throw .compression
                }
                continue
            default:
                entry = try readLiteral(bytes, &offset, prefixBits: 4)
            }
            listSize += entry.size
            guard listSize <= listLimit else { throw .tooLargeHeaders }
            head.add(entry.field)
        }
        return head
    }

    private func entry(_ index: Int) throws(ConnectionError) -> HeaderEntry {
        guard let entry = table[index] else { throw .compression }
        return entry
    }

    /// A field that is not in the tables, though its name may be (section 6.2).
    private mutating func readLiteral(
        _ bytes: Span<UInt8>, _ offset: inout Int, prefixBits: Int
    ) throws(ConnectionError) -> HeaderEntry {
        text.removeAll(keepingCapacity: true)
        let index = try readInteger(bytes, &offset, prefixBits: prefixBits)
        let name: FieldName
        let nameLength: Int
        if index == 0 {
            try readString(bytes, &offset)
            name = FieldName(text[...])
            nameLength = text.count
        } else {
            let known = try entry(index)
            name = known.name
            nameLength = known.nameLength
        }
        let start = text.count
        try readString(bytes, &offset)
        return HeaderEntry(
            name: name, field: RequestField(name, value: text[start...], methods: methods),
            nameLength: nameLength, valueLength: text.count - start)
    }

    /// Appends a string to `text` (section 5.2).
    private mutating func readString(
        _ bytes: Span<UInt8>, _ offset: inout Int
    ) throws(ConnectionError) {
        guard offset < bytes.count else { throw .compression }
        let isHuffman = bytes[offset] & 0x80 != 0
        let length = try readInteger(bytes, &offset, prefixBits: 7)
        guard length <= bytes.count - offset else { throw .compression }
        let range = offset..<offset + length
        offset += length
        if isHuffman {
            guard HuffmanCode.header.decode(bytes, range, into: &text, limit: listLimit) else {
                throw .compression
            }
        } else {
            for index in range { text.append(bytes[index]) }
        }
    }
}

/// Reads an integer whose first bits share a byte with something else (RFC 7541, section 5.1).
/// Beyond 28 bits, which is more than anything here may be, it is an error.
private func readInteger(
    _ bytes: Span<UInt8>, _ offset: inout Int, prefixBits: Int
) throws(ConnectionError) -> Int {
    guard offset < bytes.count else { throw .compression }
    let largestPrefix = 1 << prefixBits - 1
    var value = Int(bytes[offset]) & largestPrefix
    offset += 1
    guard value == largestPrefix else { return value }
    for shift in stride(from: 0, through: 21, by: 7) {
        guard offset < bytes.count else { throw .compression }
        let byte = bytes[offset]
        offset += 1
        value += Int(byte & 0x7f) << shift
        if byte & 0x80 == 0 { return value }
    }
    throw .compression
}
