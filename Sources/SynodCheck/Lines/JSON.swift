/// The part of JSON (RFC 8259) that a history needs: no fractions, no null.
indirect enum JSON: Hashable {
    case bool(Bool)
    case integer(Int128)
    case string(String)
    case array([JSON])
    /// In the order of the text.
    case object([Member])

    struct Member: Hashable {
        let name: String
        let value: JSON
    }

    func append(to text: inout [UInt8]) {
        switch self {
        case .bool(let value): text += "\(value)".utf8
        case .integer(let value): text += "\(value)".utf8
        case .string(let value): Self.append(value, to: &text)
        case .array(let values):
            text.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { text.append(UInt8(ascii: ",")) }
                value.append(to: &text)
            }
            text.append(UInt8(ascii: "]"))
        case .object(let members):
            text.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { text.append(UInt8(ascii: ",")) }
                Self.append(member.name, to: &text)
                text.append(UInt8(ascii: ":"))
                member.value.append(to: &text)
            }
            text.append(UInt8(ascii: "}"))
        }
    }

    private static func append(_ string: String, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\""))
        for byte in string.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
                text.append(UInt8(ascii: "\\"))
            }
            text.append(byte)
        }
        text.append(UInt8(ascii: "\""))
    }
}
