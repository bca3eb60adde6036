import SynodBytes
import SynodCheck

/// Writes small histories down in few words: what was asked, when, and what came back.
struct Story {
    var history = History()

    /// Answered with a revision, within an interval.
    mutating func told(
        _ interval: ClosedRange<UInt64>, _ revision: Int64, _ request: Request, _ body: Body
    ) {
        let response = Response(revision: revision, body: body)
        add(interval.lowerBound, request, .answered(at: interval.upperBound, response))
    }

    mutating func unknown(_ call: UInt64, _ request: Request) {
        add(call, request, .unknown)
    }

    mutating func refused(_ interval: ClosedRange<UInt64>, _ request: Request) {
        add(interval.lowerBound, request, .refused(at: interval.upperBound))
    }

    private mutating func add(_ call: UInt64, _ request: Request, _ outcome: Outcome) {
        history.operations.append(
            Operation(
                client: history.operations.count, call: call, request: request, outcome: outcome))
    }
}

func put(_ key: String, _ value: String) -> Request {
    .put(key: Bytes(key.utf8), value: Bytes(value.utf8))
}

func get(_ key: String, isSerializable: Bool = false) -> Request {
    .range(KeyRange(key: Bytes(key.utf8)), isSerializable: isSerializable)
}

func get(_ lower: String, _ upper: String) -> Request {
    .range(KeyRange(lower: Bytes(lower.utf8), upper: Bytes(upper.utf8)))
}

func getAll(from key: String) -> Request { .range(KeyRange(lower: Bytes(key.utf8), upper: [0])) }

func delete(_ key: String) -> Request { .delete(KeyRange(key: Bytes(key.utf8))) }

func delete(_ lower: String, _ upper: String) -> Request {
    .delete(KeyRange(lower: Bytes(lower.utf8), upper: Bytes(upper.utf8)))
}

/// A compare-and-set.
func change(_ key: String, from old: String, to new: String) -> Request {
    .txn(
        compares: [.value(key: Bytes(key.utf8), .equal, Bytes(old.utf8))],
        success: [put(key, new)], failure: [])
}

func stored(_ key: String, _ value: String, _ create: Int64, _ mod: Int64, _ version: Int64)
    -> KeyValue
{
    KeyValue(
        key: Bytes(key.utf8), value: Bytes(value.utf8), createRevision: create, modRevision: mod,
        version: version)
}

func found(_ keyValues: KeyValue...) -> Body { .range(keyValues, count: Int64(keyValues.count)) }

let ok = Body.put(previous: nil)
let changed = Body.txn(succeeded: true, [ok])
