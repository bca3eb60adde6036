extension Command {
    /// Every key and range of keys that it may read or change, in no order and possibly more than
    /// once; nil for what concerns all of them (a compaction, an alarm). Commands that share no key
    /// may be carried out in any order.
    ///
    /// The bounds are slices of the encoded command: their indices are offsets into it.
    package var keys: [KeyRange]? {
        switch self {
        case .put(let request): return [request.range]
        case .deleteRange(let request): return [request.range]
        case .txn(let request):
            var keys: [KeyRange] = []
            request.addKeys(to: &keys)
            return keys
        case .compaction, .alarm: return nil
        }
    }

    /// Whether it changes something in whatever state it is carried out, as long as no alarm forbids
    /// it: then its revision is known as soon as its place is.
    package var isCertain: Bool {
        guard case .put(let request) = self else { return false }
        return !request.key.isEmpty && request.lease == 0 && !request.ignoreValue
            && !request.ignoreLease
    }

    /// What it counts against the space quota at worst, in bytes; zero for a command that is still
    /// carried out when the space is used up.
    package var spaceCost: UInt64 {
        switch self {
        case .put(let request): request.spaceCost
        case .txn(let request): request.spaceCost
        case .deleteRange, .compaction, .alarm: 0
        }
    }
}

extension PutRequest {
    fileprivate var range: KeyRange { KeyRange(key: key, rangeEnd: []) }

    fileprivate var spaceCost: UInt64 { UInt64(256 + key.count + value.count) }
}

extension TxnRequest {
    /// The dearer branch, nested transactions counted.
    fileprivate var spaceCost: UInt64 {
        func sum(_ operations: [Operation]) -> UInt64 {
            operations.reduce(0) { sum, operation in
                switch operation {
                case .put(let request): sum + request.spaceCost
                case .txn(let request): sum + request.spaceCost
                case .range, .deleteRange, .empty: sum
                }
            }
        }
        return max(sum(success), sum(failure))
    }

    /// Adds the keys of both branches and of the comparisons.
    fileprivate func addKeys(to keys: inout [KeyRange]) {
        for comparison in comparisons { keys.append(comparison.range) }
        for list in [success, failure] {
            for operation in list {
                switch operation {
                case .range(let request): keys.append(request.range)
                case .put(let request): keys.append(request.range)
                case .deleteRange(let request): keys.append(request.range)
                case .txn(let request): request.addKeys(to: &keys)
                case .empty: break
                }
            }
        }
    }
}
