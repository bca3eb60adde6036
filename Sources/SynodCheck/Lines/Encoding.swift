import SynodBytes

extension Operation {
    var json: JSON {
        var fields = JSONBuilder()
        fields.add("client", .integer(Int128(client)))
        fields.add("call", .integer(Int128(call)))
        fields.add("request", request.json)
        if let end = `return` { fields.add("return", .integer(Int128(end))) }
        if let response { fields.add("answer", response.json) }
        if let place { fields.add("place", .integer(Int128(place))) }
        return fields.json
    }
}

extension Request {
    fileprivate var json: JSON {
        var fields = JSONBuilder()
        let name: String
        switch self {
        case .put(let key, let value, let wantsPrevious):
            name = "put"
            fields.add("key", JSON(key))
            fields.add("value", JSON(value))
            fields.add("wantsPrevious", wantsPrevious)
        case .delete(let range, let wantsPrevious):
            name = "delete"
            fields.add(range)
            fields.add("wantsPrevious", wantsPrevious)
        case .range(let range, let isSerializable):
            name = "range"
            fields.add(range)
            fields.add("serializable", isSerializable)
        case .txn(let compares, let success, let failure):
            name = "txn"
            fields.add("if", compares.map(\.json))
            fields.add("then", success.map(\.json))
            fields.add("else", failure.map(\.json))
        }
        return .object([JSON.Member(name: name, value: fields.json)])
    }
}

extension Compare {
    fileprivate var json: JSON {
        let (target, relation, operand): (String, Relation, JSON) =
            switch self {
            case .value(_, let relation, let value): ("value", relation, JSON(value))
            case .version(_, let relation, let number):
                ("version", relation, .integer(Int128(number)))
            case .createRevision(_, let relation, let number):
                ("create", relation, .integer(Int128(number)))
            case .modRevision(_, let relation, let number):
                ("mod", relation, .integer(Int128(number)))
            }
        var fields = JSONBuilder()
        fields.add("key", JSON(key))
        fields.add("is", .string(relation.symbol))
        fields.add(target, operand)
        return fields.json
    }
}

extension Response {
    fileprivate var json: JSON {
        .object([
            JSON.Member(name: "revision", value: .integer(Int128(revision))), body.member,
        ])
    }
}

extension Body {
    fileprivate var member: JSON.Member {
        var fields = JSONBuilder()
        let name: String
        switch self {
        case .put(let previous):
            name = "put"
            if let previous { fields.add("previous", previous.json) }
        case .delete(let count, let previous):
            name = "delete"
            fields.add("count", .integer(Int128(count)))
            fields.add("previous", previous.map(\.json))
        case .range(let found, let count):
            name = "range"
            fields.add("count", .integer(Int128(count)))
            fields.add("found", found.map(\.json))
        case .txn(let succeeded, let bodies):
            name = "txn"
            fields.add("succeeded", succeeded)
            fields.add("answers", bodies.map { .object([$0.member]) })
        }
        return JSON.Member(name: name, value: fields.json)
    }
}

extension KeyValue {
    fileprivate var json: JSON {
        var fields = JSONBuilder()
        fields.add("key", JSON(key))
        fields.add("value", JSON(value))
        fields.add("create", .integer(Int128(createRevision)))
        fields.add("mod", .integer(Int128(modRevision)))
        fields.add("version", .integer(Int128(version)))
        return fields.json
    }
}

/// An object that leaves out what is false or empty.
private struct JSONBuilder {
    private var members: [JSON.Member] = []

    var json: JSON { .object(members) }

    mutating func add(_ name: String, _ value: JSON) {
        members.append(JSON.Member(name: name, value: value))
    }

    mutating func add(_ name: String, _ flag: Bool) {
        if flag { add(name, .bool(true)) }
    }

    mutating func add(_ name: String, _ values: [JSON]) {
        if !values.isEmpty { add(name, .array(values)) }
    }

    mutating func add(_ range: KeyRange) {
        add("key", JSON(range.lower))
        if let upper = range.upper { add("end", JSON(upper)) }
    }
}

extension JSON {
    fileprivate init(_ bytes: Bytes) {
        self =
            bytes.isPrintable
            ? .string(String(decoding: bytes, as: UTF8.self))
            : .object([Member(name: "hex", value: .string(bytes.hexadecimal))])
    }
}
