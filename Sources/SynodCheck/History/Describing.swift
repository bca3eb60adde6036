import SynodBytes

extension Operation: CustomStringConvertible {
    /// As a sentence's subject: `client 3's put a=1 [10, 20] revision 5`.
    package var description: String {
        let what = "client \(client)'s \(request)"
        return switch outcome {
        case .answered(let at, let response):
            "\(what) [\(call), \(at)] revision \(response.revision): \(response.body)"
        case .refused(let at): "\(what) [\(call), \(at)] refused"
        case .unknown: "\(what) [\(call), unknown]"
        }
    }
}

extension Request: CustomStringConvertible {
    package var description: String {
        switch self {
        case .put(let key, let value, _): "put \(key.readable)=\(value.readable)"
        case .delete(let range, _): "delete \(range)"
        case .range(let range, let isSerializable):
            "\(isSerializable ? "serializable " : "")get \(range)"
        case .txn(let compares, let success, let failure):
            "txn if \(compares.list) then \(success.list) else \(failure.list)"
        }
    }
}

extension KeyRange: CustomStringConvertible {
    package var description: String {
        guard let upper else { return lower.readable }
        return upper == [0]
            ? "\(lower.readable)..." : "\(lower.readable)..<\(upper.readable)"
    }
}

extension Compare: CustomStringConvertible {
    package var description: String {
        switch self {
        case .value(let key, let relation, let operand):
            "value(\(key.readable)) \(relation.symbol) \(operand.readable)"
        case .version(let key, let relation, let operand):
            "version(\(key.readable)) \(relation.symbol) \(operand)"
        case .createRevision(let key, let relation, let operand):
            "create(\(key.readable)) \(relation.symbol) \(operand)"
        case .modRevision(let key, let relation, let operand):
            "mod(\(key.readable)) \(relation.symbol) \(operand)"
        }
    }
}

extension Compare.Relation {
    /// As in etcdctl.
    package var symbol: String {
        switch self {
        case .equal: "="
        case .greater: ">"
        case .less: "<"
        case .notEqual: "!="
        }
    }
}

extension Body: CustomStringConvertible {
    package var description: String {
        switch self {
        case .put(let previous): previous.map { "ok, previous \($0)" } ?? "ok"
        case .delete(let count, let previous):
            previous.isEmpty ? "\(count) deleted" : "\(count) deleted, previous \(previous.list)"
        case .range(let found, let count):
            Int64(found.count) == count ? found.list : "\(found.list) of \(count)"
        case .txn(let succeeded, let bodies):
            "\(succeeded ? "succeeded" : "failed") \(bodies.list)"
        }
    }
}

extension KeyValue: CustomStringConvertible {
    package var description: String {
        let place = "created \(createRevision), modified \(modRevision), version \(version)"
        return "\(key.readable)=\(value.readable) (\(place))"
    }
}

extension Sequence {
    var list: String { "[\(map { "\($0)" }.joined(separator: ", "))]" }
}

extension Bytes {
    /// Whether a terminal shows every byte as itself.
    var isPrintable: Bool { allSatisfy { 0x20 <= $0 && $0 < 0x7f } }

    /// The text, or `0x` and two hexadecimal digits for each byte.
    var readable: String {
        isPrintable && !isEmpty ? String(decoding: self, as: UTF8.self) : "0x\(hexadecimal)"
    }

    var hexadecimal: String {
        String(
            decoding: flatMap { [Self.digits[Int($0 >> 4)], Self.digits[Int($0 & 15)]] },
            as: UTF8.self)
    }

    private static let digits = Bytes("0123456789abcdef".utf8)
}
