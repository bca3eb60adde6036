import SynodBytes
import SynodCheck
import SynodPaxos

/// What clients ask for in a run.
struct Workload {
    enum Keys {
        case uniform, hot, skewed, sequential
        /// The n-th key is asked for n times as rarely as the first.
        case zipf
        /// Each client has a key that no other one touches.
        case own
    }

    var clients = 4
    var operations = 200
    var keyCount = 8
    /// Then other keys take the place of all: a history of one key must not get too long, for what
    /// is unknown of it has to be searched.
    var requestsPerKey = 150
    var keys = Keys.uniform
    /// Between an answer and the client's next request, at most.
    var thinking = Interval.milliseconds(200)
    /// After this a client gives up.
    var patience = Interval.seconds(8)
    /// Of a hundred requests.
    var transactions = 10
    /// Whether transactions write two keys, whatever is there.
    var writesPairs = false
    /// What values are filled up to.
    var valueBytes = 0
    var reads = 40
    var deletions = 5
    var ranges = 5
    var serializable = 3
    var compactions: UInt64 = 10_000
    /// Many transactions, on the same keys.
    var overlaps = false
    var reachesLimits = false
    /// Values are large enough to be proposed where they are written, and then small enough to be
    /// forwarded, in turn: so governors change their minds.
    var alternatesSizes = false
    /// On giving up, the client asks the same of another replica.
    var retriesElsewhere = false
    /// And that does not count as another request.
    var insists = false
    /// Clients ask again at once.
    var storms = false

    init() {}

    init(for plan: Plan, _ chance: inout PRNG) {
        clients = 1 + chance.index(12)
        operations = chance.pick([100, 200, 400])
        keyCount = chance.pick([1, 3, 10, 30])
        thinking = plan.span * 2 * UInt64(clients) / UInt64(operations)
        patience = .milliseconds(chance.pick([2000, 8000, 20_000]))
        reads = 20 + chance.index(40)
        transactions = chance.index(10)
        if plan.isEnabled(.w1) { keys = chance.pick([.hot, .skewed, .sequential]) }
        if plan.isEnabled(.w2) {
            clients = chance.pick([16, 24, 32])
            keyCount = 1
            requestsPerKey = 50
            // Without an answer there are many orders to look through.
            patience = .seconds(20)
        }
        overlaps = plan.isEnabled(.w3)
        if overlaps { transactions = 40 }
        reachesLimits = plan.isEnabled(.w4)
        retriesElsewhere = plan.isEnabled(.n12)
        storms = plan.isEnabled(.w8)
        plan.options.profile.adjust(&self)
        switch plan.options.profile {
        case .duel:
            clients = chance.pick([1, 2, 4, 16, 64, 256])
        case .contention:
            clients = chance.pick([1, 2, 4, 8, 16, 32, 64, 128, 256])
            valueBytes = chance.pick([64, 4096, 4096, 16_384])
        case .mixed:
            clients = chance.pick([8, 16, 32, 64])
            keys = chance.pick([.zipf, .uniform])
        case .swarm, .brief, .partial, .amnesia, .powercut, .slowdisk, .stopped, .revived: break
        }
        if let count = plan.options.clients { clients = count }
        guard plan.options.profile == .duel else { return }
        thinking = .milliseconds(max(100, UInt64(clients) * 8))
    }
}

/// Draws requests.
struct RequestMaker {
    var workload: Workload
    /// Who asks.
    private var client = 0
    private var chance: PRNG
    private(set) var tally = FaultTally()
    /// By key: how many of so many requests are for it or for one before it.
    private let zipf: [UInt64]

    init(_ workload: Workload, chance: PRNG) {
        self.workload = workload
        self.chance = chance
        var sum: UInt64 = 0
        zipf = (1...UInt64(workload.keyCount)).map { rank in
            sum += 1_000_000 / rank
            return sum
        }
    }

    /// A request that nobody has made before, because of its number.
    mutating func make(_ number: Int, for client: Int) -> Request {
        self.client = client
        if workload.reachesLimits, chance.chance(1, in: 40) {
            tally.fired(.w4)
            return extreme(number)
        }
        let roll = chance.index(100)
        var bound = workload.transactions
        if roll < bound { return transaction(number) }
        bound += workload.reads
        if roll < bound {
            return .range(
                SynodCheck.KeyRange(key: key(number)),
                isSerializable: chance.index(100) < workload.serializable)
        }
        bound += workload.deletions
        if roll < bound { return deletion(number) }
        bound += workload.ranges
        if roll < bound {
            // One that asks nobody finds what is executed ahead more often.
            let isSerializable = workload.serializable > 0 && number.isMultiple(of: 2)
            return .range(range(number), isSerializable: isSerializable)
        }
        return .put(
            key: key(number), value: value(number), wantsPrevious: chance.chance(1, in: 3))
    }

    /// The same request once more. Only the value of a put is another, so that whoever reads it
    /// knows which of the two it was.
    static func renewed(_ request: Request, _ number: Int) -> Request {
        guard case .put(let key, _, let wantsPrevious) = request, !key.isEmpty else {
            return request
        }
        return .put(key: key, value: Bytes("v\(number)".utf8), wantsPrevious: wantsPrevious)
    }

    private mutating func key(_ number: Int) -> Bytes {
        let count = workload.keyCount
        let generation = number / workload.requestsPerKey
        let index: Int
        switch workload.keys {
        case .uniform: index = chance.index(count)
        case .hot:
            tally.fired(.w1)
            index = chance.chance(9, in: 10) ? 0 : chance.index(count)
        case .skewed:
            tally.fired(.w1)
            index = min(chance.index(count), chance.index(count), chance.index(count))
        case .sequential:
            tally.fired(.w1)
            index = number % count
        case .zipf:
            let place = chance.below(zipf[count - 1])
            index = zipf.firstIndex { place < $0 } ?? 0
        case .own: index = client
        }
        if workload.clients >= 16, count == 1 { tally.fired(.w2) }
        return Bytes("k\(generation)/\(index)".utf8)
    }

    private mutating func value(_ number: Int) -> Bytes {
        var value = Bytes("v\(number)".utf8)
        if chance.chance(1, in: 10) {
            value += Bytes(repeating: UInt8(ascii: "."), count: chance.index(2000))
        }
        let isLarge = workload.alternatesSizes && number / 25 % 2 == 1
        let missing = (isLarge ? 6000 : workload.valueBytes) - value.count
        if missing > 0 { value += Bytes(repeating: UInt8(ascii: "."), count: missing) }
        return value
    }

    /// All keys of the present generation, or those of them that begin with one digit.
    private func range(_ number: Int) -> SynodCheck.KeyRange {
        let all = "k\(number / workload.requestsPerKey)"
        guard workload.keyCount > 1, number / 2 % 2 == 1 else {
            return SynodCheck.KeyRange(lower: Bytes("\(all)/".utf8), upper: Bytes("\(all)0".utf8))
        }
        let digit = number / 4 % min(workload.keyCount, 10)
        let lower = Bytes("\(all)/\(digit)".utf8)
        // The character behind the last digit is a colon.
        return SynodCheck.KeyRange(lower: lower, upper: lower.dropLast() + [lower.last! + 1])
    }

    private mutating func deletion(_ number: Int) -> Request {
        chance.chance(1, in: 5)
            ? .delete(range(number), wantsPrevious: chance.chance(1, in: 2))
            : .delete(SynodCheck.KeyRange(key: key(number)), wantsPrevious: chance.chance(1, in: 2))
    }

    /// Conditions on keys and operations on keys, overlapping with others' in any order.
    private mutating func transaction(_ number: Int) -> Request {
        guard !workload.writesPairs else { return pair(number) }
        var compares: [Compare] = []
        for _ in 0..<chance.index(3) { compares.append(compare(number)) }
        var keys: [Bytes] = []
        for _ in 0...chance.index(4) {
            let key = key(number)
            if !keys.contains(key) { keys.append(key) }
        }
        if keys.count > 1, workload.overlaps { tally.fired(.w3) }
        let success = keys.map { key -> Request in
            switch chance.index(4) {
            case 0: .range(SynodCheck.KeyRange(key: key), isSerializable: false)
            case 1: .delete(SynodCheck.KeyRange(key: key), wantsPrevious: chance.chance(1, in: 2))
            default: .put(key: key, value: value(number), wantsPrevious: false)
            }
        }
        let failure: [Request] =
            chance.chance(1, in: 2)
            ? [.range(SynodCheck.KeyRange(key: keys[0]), isSerializable: false)] : []
        return .txn(compares: compares, success: success, failure: failure)
    }

    /// Two keys get new values at once.
    private mutating func pair(_ number: Int) -> Request {
        let first = key(number)
        var second = key(number)
        while second == first { second = key(number) }
        let puts = [first, second].map { key in
            Request.put(key: key, value: value(number), wantsPrevious: false)
        }
        return .txn(compares: [], success: puts, failure: [])
    }

    private mutating func compare(_ number: Int) -> Compare {
        let key = key(number)
        let relation = chance.pick(Compare.Relation.allCases)
        switch chance.index(4) {
        case 0: return .version(key: key, relation, Int64(chance.index(4)))
        case 1: return .createRevision(key: key, relation, Int64(chance.index(2)) * 10)
        case 2: return .modRevision(key: key, relation, Int64(chance.index(max(1, number))))
        default: return .value(key: key, relation, Bytes("v\(chance.index(number + 1))".utf8))
        }
    }

    /// At or beyond the limits of the interface.
    private mutating func extreme(_ number: Int) -> Request {
        switch chance.index(7) {
        case 0:
            return .put(
                key: Bytes("big\(number % 3)".utf8),
                value: value(number) + Bytes(repeating: 7, count: 1 << 20))
        case 1: return .put(key: [], value: value(number))
        case 2: return .put(key: [0], value: value(number))
        case 3: return .put(key: [0xff, 0xff, 0xff], value: value(number))
        case 4: return .range(SynodCheck.KeyRange(lower: [0], upper: [0]), isSerializable: false)
        case 5:
            let puts = (0..<128).map { index in
                Request.put(key: Bytes("x\(number)/\(index)".utf8), value: value(number))
            }
            return .txn(compares: [], success: puts, failure: [])
        default:
            let puts = [0, 1].map { _ in Request.put(key: Bytes("x".utf8), value: value(number)) }
            return .txn(compares: [], success: puts, failure: [])
        }
    }
}
