import SynodBytes
import SynodCheck

/// Draws what a client asks next: few keys at a time, so that clients meet, and new ones after a
/// while, so that no key's history grows beyond what can be judged. The values of puts are unique.
struct RequestMix {
    private static let keysAtOnce = 12
    /// Operations of all clients before the next keys are taken.
    private static let operationsPerEpoch = 600

    /// Distinguishes the writers of values.
    private let writer: Int
    /// Follows every value, to make it larger.
    private let padding: Bytes
    private var chance: PRNG
    private var values = 0
    private var ledgerEntries = 0
    /// What this client saw last in each key of the epoch.
    private var seen: [Bytes: Bytes] = [:]

    init(writer: Int, valueBytes: Int, chance: PRNG) {
        self.writer = writer
        padding = Bytes(repeating: UInt8(ascii: "."), count: valueBytes)
        self.chance = chance
    }

    /// - Parameter count: operations that all clients have begun so far.
    mutating func next(after count: Int) -> Request {
        let prefix = "k/\(count / Self.operationsPerEpoch)/"
        switch chance.below(100) {
        case 0..<25: return put(key(prefix))
        case 25..<40: return ledgerEntry()
        case 40..<60: return .range(KeyRange(key: key(prefix)))
        case 60..<65: return .range(KeyRange(key: key(prefix)), isSerializable: true)
        case 65..<70: return .range(Self.all(prefix))
        case 70..<78:
            return .delete(KeyRange(key: key(prefix)), wantsPrevious: chance.chance(1, in: 2))
        case 78..<79: return .delete(Self.all(prefix), wantsPrevious: true)
        case 79..<92: return compareAndSet(key(prefix))
        default: return move(prefix)
        }
    }

    /// Remembers the values that an answer tells, for later comparisons.
    mutating func learn(_ body: Body) {
        switch body {
        case .put, .delete: break
        case .range(let found, _):
            if seen.count > 64 { seen.removeAll() }
            for item in found { seen[item.key] = item.value }
        case .txn(_, let bodies): for inner in bodies { learn(inner) }
        }
    }

    /// The keys that are written once and never deleted: what was acknowledged must stay.
    static let ledger = KeyRange(lower: Bytes("ledger/".utf8), upper: Bytes("ledger0".utf8))

    private static func all(_ prefix: String) -> KeyRange {
        // The next character behind the slash.
        KeyRange(lower: Bytes(prefix.utf8), upper: Bytes((prefix.dropLast() + "0").utf8))
    }

    private mutating func key(_ prefix: String) -> Bytes {
        Bytes("\(prefix)\(chance.below(UInt64(Self.keysAtOnce)))".utf8)
    }

    private mutating func newValue() -> Bytes {
        values += 1
        return Bytes("\(writer).\(values)".utf8) + padding
    }

    private mutating func put(_ key: Bytes) -> Request {
        .put(key: key, value: newValue(), wantsPrevious: chance.chance(1, in: 2))
    }

    private mutating func ledgerEntry() -> Request {
        ledgerEntries += 1
        return .put(key: Bytes("ledger/\(writer)/\(ledgerEntries)".utf8), value: newValue())
    }

    private mutating func compareAndSet(_ key: Bytes) -> Request {
        let expectation: Compare =
            if let value = seen[key] {
                .value(key: key, .equal, value)
            } else {
                .version(key: key, .equal, 0)
            }
        return .txn(
            compares: [expectation], success: [.put(key: key, value: newValue())],
            failure: [.range(KeyRange(key: key))])
    }

    /// Writes two keys at once if a third is there.
    private mutating func move(_ prefix: String) -> Request {
        let first = key(prefix)
        var second = key(prefix)
        while second == first { second = key(prefix) }
        let guardian = key(prefix)
        return .txn(
            compares: [.version(key: guardian, .greater, 0)],
            success: [
                .put(key: first, value: newValue(), wantsPrevious: true),
                .delete(KeyRange(key: second), wantsPrevious: true),
                .range(KeyRange(key: guardian)),
            ],
            failure: [.put(key: guardian, value: newValue()), .range(Self.all(prefix))])
    }
}
