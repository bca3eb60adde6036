import SynodBytes
import SynodCheck
import Testing

/// How fast the checkers are: printed, since a busy machine is no failure. A million operations in
/// the long form.
@Suite(.serialized) struct ThroughputTests {
    private static let count = PropertyTests.isLong ? 1_000_000 : 100_000

    /// Sixteen clients on a thousand keys: half gets, otherwise puts, some of them unknown, and a
    /// few deletes, compare-and-sets and reads of ten keys.
    private func drawLoad() -> History {
        var prng = PRNG(seed: 7)
        var load = History()
        load.operations.reserveCapacity(Self.count)
        var store = FastStore(keyCount: 1_000)
        for index in 0..<Self.count {
            let instant = 10_000 + UInt64(index) * 10
            let key = Int(prng.below(1_000))
            let (request, body) = store.execute(prng.below(20), key, "value \(index)")
            let isLost = prng.chance(1, in: 200)
            load.operations.append(
                Operation(
                    client: index % 16, call: instant - prng.below(80), request: request,
                    outcome: isLost
                        ? .unknown
                        : .answered(
                            at: instant + prng.below(80),
                            Response(revision: store.revision, body: body))))
        }
        return load
    }

    @Test func bothCheckersAreMeasured() throws {
        let history = drawLoad()
        measure("revision order", history) { RevisionOrderCheck.judge($0) }
        measure("linearizability", history) { LinearizabilityCheck.judge($0) }
        let clock = ContinuousClock()
        var text: Bytes = []
        let writing = clock.measure { text = HistoryLines.encode(history) }
        var copy = History()
        let reading = try clock.measure { copy = try HistoryLines.decode(text) }
        #expect(copy == history)
        print("lines: \(text.count >> 20) MiB written in \(writing), read in \(reading)")
    }

    private func measure(_ name: String, _ history: History, _ judge: (History) -> Verdict) {
        var verdict = Verdict.valid
        let time = ContinuousClock().measure { verdict = judge(history) }
        #expect(verdict.isValid, "\(verdict)")
        let rate = Double(history.operations.count) / (time / .seconds(1))
        print("\(name): \(history.operations.count) operations in \(time), \(Int(rate)) per second")
    }
}

/// A store that only executes what a load is made of, but does it quickly.
private struct FastStore {
    var revision: Int64 = 1
    private var contents: [KeyValue?]
    private let keys: [Bytes]

    init(keyCount: Int) {
        contents = Array(repeating: nil, count: keyCount)
        keys = (0..<keyCount).map { Bytes("/registry/pods/\(1_000 + $0)".utf8) }
    }

    mutating func execute(_ kind: UInt64, _ key: Int, _ value: String) -> (Request, Body) {
        let value = Bytes(value.utf8)
        switch kind {
        case 0..<10:
            let body = contents[key].map { found($0) } ?? found()
            return (.range(KeyRange(key: keys[key])), body)
        case 10..<16:
            put(key, value)
            return (.put(key: keys[key], value: value), ok)
        case 16:
            let count: Int64 = contents[key] == nil ? 0 : 1
            revision += count
            contents[key] = nil
            return (.delete(KeyRange(key: keys[key])), .delete(count: count))
        case 17:
            let end = min(key + 10, keys.count - 1)
            let range = contents[key..<max(key, end)].compactMap(\.self)
            return (
                .range(KeyRange(lower: keys[key], upper: keys[end])),
                .range(range, count: Int64(range.count))
            )
        default: return compareAndSet(key, value)
        }
    }

    private mutating func compareAndSet(_ key: Int, _ value: Bytes) -> (Request, Body) {
        let expected = contents[key]?.modRevision ?? 0
        put(key, value)
        let request = Request.txn(
            compares: [.modRevision(key: keys[key], .equal, expected)],
            success: [.put(key: keys[key], value: value)],
            failure: [.range(KeyRange(key: keys[key]))])
        return (request, changed)
    }

    private mutating func put(_ key: Int, _ value: Bytes) {
        revision += 1
        let old = contents[key]
        contents[key] = KeyValue(
            key: keys[key], value: value, createRevision: old?.createRevision ?? revision,
            modRevision: revision, version: (old?.version ?? 0) + 1)
    }
}
