import SynodBytes

extension Command {
    /// The keys it may read or change, as stable hashes without repetition; nil when they cannot be
    /// told one by one (a range of keys, a compaction, an alarm).
    package var footprint: [UInt64]? {
        switch self {
        case .put(let request): return [stableHash(request.key)]
        case .deleteRange(let request):
            return request.rangeEnd.isEmpty ? [stableHash(request.key)] : nil
        case .txn(let request):
            var hashes: [UInt64] = []
            guard request.addFootprint(to: &hashes) else { return nil }
            hashes.sort()
            var distinct: [UInt64] = []
            for hash in hashes where hash != distinct.last { distinct.append(hash) }
            return distinct
        case .compaction, .alarm: return nil
        }
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

    /// Adds the keys' hashes; false when a range of keys is among them.
    fileprivate func addFootprint(to hashes: inout [UInt64]) -> Bool {
        for comparison in comparisons {
            guard comparison.rangeEnd.isEmpty else { return false }
            hashes.append(stableHash(comparison.key))
        }
        for operation in success + failure {
            switch operation {
            case .range(let request):
                guard request.rangeEnd.isEmpty else { return false }
                hashes.append(stableHash(request.key))
            case .put(let request): hashes.append(stableHash(request.key))
            case .deleteRange(let request):
                guard request.rangeEnd.isEmpty else { return false }
                hashes.append(stableHash(request.key))
            case .txn(let request): guard request.addFootprint(to: &hashes) else { return false }
            case .empty: break
            }
        }
        return true
    }
}
