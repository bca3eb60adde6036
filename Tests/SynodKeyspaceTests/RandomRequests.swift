import SynodBytes
import SynodKeyspace

/// Draws requests of every shape over a few keys, so that they meet often.
struct RandomRequests {
    var prng: PRNG

    init(seed: UInt64) {
        prng = PRNG(seed: seed)
    }

    private mutating func coin(_ numerator: UInt64, in denominator: UInt64) -> Bool {
        prng.chance(numerator, in: denominator)
    }

    private mutating func pick<T>(_ choices: [T]) -> T {
        choices[Int(prng.below(UInt64(choices.count)))]
    }

    mutating func key() -> ArraySlice<UInt8> {
        if coin(1, in: 60) { return [] }
        if coin(1, in: 25) { return pick([[0], [0xff], [0xff, 0xff], [0, 1]]) }
        let length = 1 + prng.below(3)
        return Bytes((0..<length).map { _ in UInt8(ascii: "a") + UInt8(prng.below(3)) })[...]
    }

    private mutating func rangeEnd(_ key: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        switch prng.below(6) {
        case 0, 1: return []
        case 2: return [0]
        case 3: return self.key()
        default:
            guard let last = key.last, last < 0xff else { return [0] }
            return key.dropLast() + [last + 1]
        }
    }

    private mutating func value() -> ArraySlice<UInt8> {
        let length = pick([0, 1, 1, 2, 130, 5000])
        return Bytes(repeating: UInt8(prng.below(4)), count: length)[...]
    }

    private mutating func revision(_ current: Int64) -> Int64 {
        prng.within(max(0, current - 12)...current + 1)
    }

    mutating func range(current: Int64) -> RangeRequest {
        var request = RangeRequest()
        request.key = key()
        request.rangeEnd = rangeEnd(request.key)
        if coin(1, in: 3) { request.limit = prng.within(-1...4) }
        if coin(1, in: 2) { request.revision = coin(1, in: 20) ? -1 : revision(current) }
        if coin(1, in: 2) { request.sortOrder = pick([.unsorted, .ascending, .descending]) }
        if coin(1, in: 2) {
            request.sortTarget = pick([.key, .version, .createRevision, .modRevision, .value])
        }
        if coin(1, in: 40) { request.sortOrder = nil }
        if coin(1, in: 40) { request.sortTarget = nil }
        request.isSerializable = coin(1, in: 2)
        request.keysOnly = coin(1, in: 4)
        request.countOnly = coin(1, in: 6)
        if coin(1, in: 5) { request.minModRevision = revision(current) }
        if coin(1, in: 5) { request.maxModRevision = revision(current) }
        if coin(1, in: 5) { request.minCreateRevision = revision(current) }
        if coin(1, in: 5) { request.maxCreateRevision = revision(current) }
        return request
    }

    mutating func put() -> PutRequest {
        var request = PutRequest()
        request.key = key()
        request.value = value()
        request.wantsPrevious = coin(1, in: 3)
        if coin(1, in: 40) { request.lease = 7 }
        if coin(1, in: 6) {
            request.ignoreValue = true
            if !coin(1, in: 10) { request.value = [] }
        }
        request.ignoreLease = coin(1, in: 8)
        return request
    }

    mutating func deleteRange() -> DeleteRangeRequest {
        var request = DeleteRangeRequest()
        request.key = key()
        // Deletions of everything are rare, or there would be nothing to see.
        request.rangeEnd = coin(2, in: 3) ? [] : rangeEnd(request.key)
        if request.rangeEnd == [0] && !coin(1, in: 10) { request.rangeEnd = [] }
        request.wantsPrevious = coin(1, in: 3)
        return request
    }

    mutating func comparison(current: Int64) -> Comparison {
        var comparison = Comparison()
        comparison.key = key()
        if coin(1, in: 4) { comparison.rangeEnd = rangeEnd(comparison.key) }
        comparison.result = pick([.equal, .greater, .less, .notEqual])
        if coin(1, in: 50) { comparison.result = nil }
        let target: Comparison.Target = pick([
            .version, .createRevision, .modRevision, .value, .lease,
        ])
        comparison.target = coin(1, in: 50) ? nil : target
        switch target {
        case .version: comparison.operand = .integer(target, prng.within(0...2))
        case .createRevision, .modRevision:
            comparison.operand = .integer(target, revision(current))
        case .lease: comparison.operand = .integer(target, 0)
        case .value: comparison.operand = .value(value())
        }
        if coin(1, in: 20) { comparison.operand = .none }
        if coin(1, in: 20) { comparison.operand = .integer(.version, 1) }
        return comparison
    }

    mutating func txn(current: Int64, depth: Int = 0) -> TxnRequest {
        var request = TxnRequest()
        for _ in 0..<prng.below(3) {
            request.comparisons.append(comparison(current: current))
        }
        for _ in 0..<prng.below(4) {
            request.success.append(operation(current: current, depth: depth))
        }
        for _ in 0..<prng.below(3) {
            request.failure.append(operation(current: current, depth: depth))
        }
        return request
    }

    private mutating func operation(current: Int64, depth: Int) -> TxnRequest.Operation {
        if coin(1, in: 60) { return .empty }
        switch prng.below(8) {
        case 0, 1, 2:
            var request = range(current: current)
            // Otherwise most transactions would fail for a revision that is not readable.
            if !coin(1, in: 4) { request.revision = 0 }
            return .range(request)
        case 3, 4: return .put(put())
        case 5, 6: return .deleteRange(deleteRange())
        default: return depth < 3 ? .txn(txn(current: current, depth: depth + 1)) : .put(put())
        }
    }

    mutating func command(current: Int64) -> Command {
        switch prng.below(20) {
        case 0..<9: return .put(put())
        case 9..<12: return .deleteRange(deleteRange())
        case 12..<19: return .txn(txn(current: current))
        default: return coin(1, in: 4) ? .compact(revision(current)) : .put(put())
        }
    }
}
