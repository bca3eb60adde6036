/// Reads one JSON value of the kind that ``JSON`` is.
///
/// A file may be cut off or edited by hand, so nothing of it is believed: numbers that do not fit,
/// and values nested deeper than any history, are errors.
struct JSONParser {
    private static let depthLimit = 64

    private let text: ArraySlice<UInt8>
    private var index: Int

    static func parse(_ text: ArraySlice<UInt8>) throws(MalformedLine) -> JSON {
        var parser = JSONParser(text: text, index: text.startIndex)
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.index == text.endIndex else { throw MalformedLine("has text behind its end") }
        return value
    }

    private mutating func value(depth: Int) throws(MalformedLine) -> JSON {
        guard depth < Self.depthLimit else { throw MalformedLine("is nested too deeply") }
        skipSpace()
        switch peek {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        default: return try integer()
        }
    }

    private mutating func object(depth: Int) throws(MalformedLine) -> JSON {
        try expect("{")
        var members: [JSON.Member] = []
        while !skip("}") {
            if !members.isEmpty { try expect(",") }
            skipSpace()
            let name = try string()
            try expect(":")
            members.append(JSON.Member(name: name, value: try value(depth: depth + 1)))
        }
        return .object(members)
    }

    private mutating func array(depth: Int) throws(MalformedLine) -> JSON {
        try expect("[")
        var values: [JSON] = []
        while !skip("]") {
            if !values.isEmpty { try expect(",") }
            values.append(try value(depth: depth + 1))
        }
        return .array(values)
    }

    /// Only the escapes that are written here: a quotation mark and a backslash.
    private mutating func string() throws(MalformedLine) -> String {
        try expect("\"")
        var bytes: [UInt8] = []
        while let byte = peek, byte != UInt8(ascii: "\"") {
            index += 1
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            guard let escaped = peek, escaped == UInt8(ascii: "\"") || escaped == byte else {
                throw MalformedLine("has an escape other than \\\" and \\\\")
            }
            bytes.append(escaped)
            index += 1
        }
        try expect("\"")
        return String(decoding: bytes, as: UTF8.self)
    }

    private mutating func integer() throws(MalformedLine) -> JSON {
        let start = index
        while let byte = peek, byte == UInt8(ascii: "-") || (0x30...0x39).contains(byte) {
            index += 1
        }
        guard let value = Int128(String(decoding: text[start..<index], as: UTF8.self)) else {
            throw MalformedLine("has something that is no value at \(start - text.startIndex)")
        }
        return .integer(value)
    }

    private mutating func word(_ word: String, _ value: JSON) throws(MalformedLine) -> JSON {
        guard text[index...].starts(with: word.utf8) else {
            throw MalformedLine("has an unknown word")
        }
        index += word.utf8.count
        return value
    }

    private var peek: UInt8? { index < text.endIndex ? text[index] : nil }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x09 || byte == 0x0d { index += 1 }
    }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard peek == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(MalformedLine) {
        guard skip(character) else {
            throw MalformedLine("lacks \(character) at \(index - text.startIndex)")
        }
    }
}
