import SynodBytes
import SynodCheck

/// Draws histories that are valid because they were executed: every operation takes effect at
/// an instant of its own, on one store, somewhere between its call and its return.
struct RandomHistory {
    /// Which requests to draw.
    enum Kind {
        /// Everything that the checkers know.
        case wholeStore
        /// What registers can express exactly: one key each, conditions on values or existence.
        case registers
    }

    var prng: PRNG
    let kind: Kind
    var keyCount = 3
    /// How long an operation takes at most, where one instant lies `spacing` after another.
    var overlap: UInt64 = 40
    var spacing: UInt64 = 10
    /// Of a hundred operations, how many have an unknown outcome.
    var unknownPercentage: UInt64 = 15
    /// Draws values from a few instead of making each one new.
    var repeatsValues = false
    /// Of a hundred operations that were executed, how many have their place told.
    var placedPercentage: UInt64 = 0
    /// Whether revisions are left out, and reads told older ones than theirs: rightly or not.
    var takesLeeway = false
    /// The revisions that were left out.
    private(set) var skipped: Set<Int64> = []
    private var lastValue: UInt64 = 0

    init(seed: UInt64, _ kind: Kind) {
        prng = PRNG(seed: seed)
        self.kind = kind
    }

    mutating func draw(_ count: Int) -> History {
        var history = History()
        var past = [NaiveStore()]
        for index in 0..<count {
            if takesLeeway, prng.chance(1, in: 6) { skip(&past) }
            let instant = 1_000_000 + UInt64(index) * spacing
            let request = drawRequest()
            let call = instant - prng.below(overlap)
            let end = instant + prng.below(overlap)
            let (outcome, isExecuted) = execute(request, end, &past)
            let isPlaced = isExecuted && prng.chance(placedPercentage, in: 100)
            history.operations.append(
                Operation(
                    client: index % 8, call: call, request: request, outcome: outcome,
                    place: isPlaced ? UInt64(index) + 1 : nil))
        }
        return history
    }

    private mutating func execute(
        _ request: Request, _ end: UInt64, _ past: inout [NaiveStore]
    ) -> (outcome: Outcome, isExecuted: Bool) {
        if prng.chance(unknownPercentage, in: 100) {
            let isExecuted = prng.chance(1, in: 2)
            if isExecuted { advance(request, &past) }
            return (.unknown, isExecuted)
        }
        if prng.chance(3, in: 100) { return (.refused(at: end), false) }
        if request.isSerializable {
            var state = past[past.count - 1 - Int(prng.below(UInt64(min(past.count, 4))))]
            return (.answered(at: end, state.execute(request)), false)
        }
        var response = advance(request, &past)
        if takesLeeway, !request.canWrite, prng.chance(1, in: 2) {
            response.revision -= Int64(prng.below(4))
        }
        return (.answered(at: end, response), true)
    }

    private mutating func skip(_ past: inout [NaiveStore]) {
        var state = past[past.count - 1]
        state.skip()
        skipped.insert(state.revision)
        past.append(state)
    }

    @discardableResult
    private func advance(_ request: Request, _ past: inout [NaiveStore]) -> Response {
        var state = past[past.count - 1]
        let response = state.execute(request)
        if past.count > 8 { past.removeFirst() }
        past.append(state)
        return response
    }

    private mutating func drawRequest() -> Request {
        switch kind {
        case .wholeStore: drawAny(depth: 0)
        case .registers: drawOfOneKey(drawKey())
        }
    }

    private mutating func drawAny(depth: Int) -> Request {
        let isTop = depth == 0
        switch prng.below(depth < 2 ? 12 : 9) {
        case 0..<4: return .put(key: drawKey(), value: drawValue(), wantsPrevious: flip())
        case 4: return .delete(drawRange(), wantsPrevious: flip())
        case 5: return .delete(KeyRange(key: drawKey()), wantsPrevious: flip())
        case 6: return .range(drawRange(), isSerializable: isTop && flip())
        case 7, 8: return .range(KeyRange(key: drawKey()))
        default:
            let compares = (0..<prng.below(3)).map { _ in drawCompare() }
            let success = (0..<prng.below(3)).map { _ in drawAny(depth: depth + 1) }
            let failure = (0..<prng.below(3)).map { _ in drawAny(depth: depth + 1) }
            return .txn(compares: compares, success: success, failure: failure)
        }
    }

    private mutating func drawOfOneKey(_ key: Bytes) -> Request {
        let range = KeyRange(key: key)
        switch prng.below(10) {
        case 0..<3: return .put(key: key, value: drawValue(), wantsPrevious: flip())
        case 3: return .delete(range, wantsPrevious: flip())
        case 4..<7: return .range(range)
        default:
            let relation = Compare.Relation.allCases[Int(prng.below(4))]
            let compare: Compare =
                prng.chance(1, in: 3)
                ? .createRevision(key: key, flip() ? .equal : .greater, 0)
                : .value(key: key, relation, drawOldValue())
            return .txn(
                compares: [compare],
                success: [.put(key: key, value: drawValue()), .range(range)],
                failure: [.range(range)])
        }
    }

    private mutating func drawCompare() -> Compare {
        let key = drawKey()
        let relation = Compare.Relation.allCases[Int(prng.below(4))]
        return switch prng.below(4) {
        case 0: .value(key: key, relation, drawOldValue())
        case 1: .version(key: key, relation, Int64(prng.below(3)))
        case 2: .createRevision(key: key, relation, Int64(prng.below(4)))
        default: .modRevision(key: key, relation, Int64(prng.below(6)))
        }
    }

    private mutating func flip() -> Bool { prng.chance(1, in: 2) }

    private mutating func drawKey() -> Bytes { Bytes("k\(prng.below(UInt64(keyCount)))".utf8) }

    private mutating func drawRange() -> KeyRange {
        let upper: Bytes = flip() ? [0] : drawKey()
        return KeyRange(lower: drawKey(), upper: upper)
    }

    private mutating func drawValue() -> Bytes {
        if repeatsValues { return Bytes("\(prng.below(3))".utf8) }
        lastValue += 1
        return Bytes("\(lastValue)".utf8)
    }

    /// Likely one that is stored.
    private mutating func drawOldValue() -> Bytes {
        if repeatsValues { return Bytes("\(prng.below(3))".utf8) }
        return Bytes("\(lastValue - min(lastValue, prng.below(3)))".utf8)
    }
}
