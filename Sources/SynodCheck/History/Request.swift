package import SynodBytes

/// What a client may ask, in the part of etcd's API that the checkers understand: without leases,
/// limits, orders, filters and reads of the past.
package indirect enum Request: Sendable, Hashable {
    case put(key: Bytes, value: Bytes, wantsPrevious: Bool = false)
    case delete(KeyRange, wantsPrevious: Bool = false)
    case range(KeyRange, isSerializable: Bool = false)
    /// All compares are made before anything is executed, those of nested transactions too.
    case txn(compares: [Compare], success: [Request], failure: [Request])
}

/// The keys of a request, written as etcd's `key` and `range_end`.
package struct KeyRange: Sendable, Hashable {
    package var lower: Bytes
    /// Exclusive. Nil: the single key `lower`. `[0]`: all keys from `lower`.
    package var upper: Bytes?

    package init(lower: Bytes, upper: Bytes?) {
        self.lower = lower
        self.upper = upper
    }

    /// The range of one key.
    package init(key: Bytes) {
        self.init(lower: key, upper: nil)
    }

    package func contains(_ key: Bytes) -> Bool {
        guard let upper else { return key == lower }
        if key.lexicographicallyPrecedes(lower) { return false }
        return upper == [0] || key.lexicographicallyPrecedes(upper)
    }
}

/// A condition of a transaction on one key. A key that does not exist has version and revisions
/// zero, and meets no condition on its value.
package enum Compare: Sendable, Hashable {
    case value(key: Bytes, Relation, Bytes)
    case version(key: Bytes, Relation, Int64)
    case createRevision(key: Bytes, Relation, Int64)
    case modRevision(key: Bytes, Relation, Int64)

    /// Between what is stored, on the left, and the operand, on the right.
    package enum Relation: Sendable, Hashable, CaseIterable {
        case equal, greater, less, notEqual
    }

    package var key: Bytes {
        switch self {
        case .value(let key, _, _), .version(let key, _, _), .createRevision(let key, _, _),
            .modRevision(let key, _, _):
            key
        }
    }
}
