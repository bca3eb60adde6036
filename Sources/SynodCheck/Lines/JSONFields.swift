import SynodBytes

/// The members of an object, asked for by their names.
struct JSONFields {
    private let members: [JSON.Member]

    init(_ json: JSON) throws(MalformedLine) {
        guard case .object(let members) = json else {
            throw MalformedLine("has another value where an object belongs")
        }
        self.members = members
    }

    func find(_ name: String) -> JSON? {
        members.first { $0.name == name }?.value
    }

    func value(_ name: String) throws(MalformedLine) -> JSON {
        guard let value = find(name) else { throw MalformedLine("lacks \"\(name)\"") }
        return value
    }

    func integer<T: FixedWidthInteger>(_ name: String) throws(MalformedLine) -> T {
        guard case .integer(let number) = try value(name), let fitting = T(exactly: number) else {
            throw MalformedLine("has no integer of its size as \"\(name)\"")
        }
        return fitting
    }

    func flag(_ name: String) throws(MalformedLine) -> Bool {
        switch find(name) {
        case nil: return false
        case .bool(let flag): return flag
        case .some: throw MalformedLine("has neither true nor false as \"\(name)\"")
        }
    }

    func bytes(_ name: String) throws(MalformedLine) -> Bytes {
        switch try value(name) {
        case .string(let text): return Bytes(text.utf8)
        case let other:
            guard case .string(let digits) = try JSONFields(other).value("hex"),
                let bytes = Bytes(hexadecimal: digits)
            else { throw MalformedLine("has no pairs of hexadecimal digits as \"hex\"") }
            return bytes
        }
    }

    /// Each element through a reader; no elements if there is no such member.
    func list<T>(
        _ name: String, _ read: (JSONFields) throws(MalformedLine) -> T
    ) throws(MalformedLine) -> [T] {
        guard let json = find(name) else { return [] }
        guard case .array(let values) = json else {
            throw MalformedLine("has no list as \"\(name)\"")
        }
        var elements: [T] = []
        for value in values { elements.append(try read(JSONFields(value))) }
        return elements
    }
}

extension Bytes {
    fileprivate init?(hexadecimal digits: String) {
        let digits = Array(digits.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        self = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            let pair = String(decoding: digits[index...index + 1], as: UTF8.self)
            guard pair.first != "+", let byte = UInt8(pair, radix: 16) else { return nil }
            append(byte)
        }
    }
}
