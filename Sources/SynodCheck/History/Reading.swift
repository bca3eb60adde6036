import SynodBytes

// What the checkers ask of a request or an answer without executing it.

extension Outcome {
    var isRefused: Bool {
        if case .refused = self { true } else { false }
    }
}

extension Request {
    /// Every put of the request, in both branches of its transactions.
    func forEachPut(_ body: (Bytes, Bytes) -> Void) {
        switch self {
        case .put(let key, let value, _): body(key, value)
        case .delete, .range: break
        case .txn(_, let success, let failure):
            for request in success { request.forEachPut(body) }
            for request in failure { request.forEachPut(body) }
        }
    }

    /// Every key that the request names by itself, not as part of a range, in both branches.
    func forEachKey(_ body: (Bytes) -> Void) {
        switch self {
        case .put(let key, _, _): body(key)
        case .delete(let range, _), .range(let range, _):
            if range.upper == nil { body(range.lower) }
        case .txn(let compares, let success, let failure):
            for compare in compares { body(compare.key) }
            for request in success { request.forEachKey(body) }
            for request in failure { request.forEachKey(body) }
        }
    }

    /// Whether there are states of the store that the request changes.
    package var canWrite: Bool {
        switch self {
        case .put, .delete: true
        case .range: false
        case .txn(_, let success, let failure):
            success.contains(where: \.canWrite) || failure.contains(where: \.canWrite)
        }
    }

    /// Whether the answer may be of the past: for a transaction, if it does nothing but such reads.
    package var isSerializable: Bool {
        switch self {
        case .put, .delete: false
        case .range(_, let isSerializable): isSerializable
        case .txn(_, let success, let failure):
            success.allSatisfy(\.isSerializableRange) && failure.allSatisfy(\.isSerializableRange)
        }
    }

    private var isSerializableRange: Bool {
        if case .range(_, let isSerializable) = self { isSerializable } else { false }
    }
}

extension Body {
    /// Whether the request that was answered so made a revision.
    package var isChange: Bool {
        switch self {
        case .put: true
        case .delete(let count, _): count > 0
        case .range: false
        case .txn(_, let bodies): bodies.contains(where: \.isChange)
        }
    }

    func forEachKeyValue(_ body: (KeyValue) -> Void) {
        switch self {
        case .put(let previous): if let previous { body(previous) }
        case .delete(_, let previous): previous.forEach(body)
        case .range(let found, _): found.forEach(body)
        case .txn(_, let bodies): for inner in bodies { inner.forEachKeyValue(body) }
        }
    }
}
