import SynodBytes
import SynodKeyspace

/// The keyspace done the obvious way: a full copy of all keys for every revision, and a list of all
/// changes ever made. Answers are built with ``Wire``, to be compared byte by byte.
struct Model {
    struct Pair {
        var key: Bytes
        var createRevision: Int64
        var modRevision: Int64
        var version: Int64
        var value: Bytes
        var lease: Int64

        var wire: Wire {
            Wire().text(1, key).int(2, createRevision).int(3, modRevision).int(4, version)
                .text(5, value).int(6, lease)
        }
    }

    struct Change {
        var main: Int64
        var sub: Int64
        var key: Bytes
        var isTombstone: Bool
        var wire: Wire
    }

    /// All keys in order at every revision from 0 on; those at 0 and 1 are none.
    var snapshots: [[Pair]] = [[], []]
    var changes: [Change] = []
    var compactRevision: Int64 = -1
    /// The keys as the command that is being carried out sees them.
    var current: [Pair] = []
    var openChanges: Int64 = 0

    var revision: Int64 { Int64(snapshots.count) - 1 }
    var viewRevision: Int64 { revision + (openChanges > 0 ? 1 : 0) }

    /// As it was at a revision, but for the compactions since.
    func at(_ revision: Int64) -> Model {
        guard revision < self.revision else { return self }
        var past = self
        past.snapshots.removeSubrange((Int(revision) + 1)...)
        past.current = past.snapshots[Int(revision)]
        return past
    }

    /// Lets a revision pass without a command.
    mutating func skipRevision() { snapshots.append(current) }

    static func header(_ revision: Int64) -> Wire {
        Wire().int(1, 11).int(2, 22).int(3, revision).int(4, 3)
    }

    static func isIn(_ key: Bytes, _ lower: ArraySlice<UInt8>, _ upper: ArraySlice<UInt8>) -> Bool {
        if upper.isEmpty { return key[...] == lower }
        let isAbove = !key.lexicographicallyPrecedes(lower)
        return isAbove && (Bytes(upper) == [0] || key.lexicographicallyPrecedes(upper))
    }

    mutating func run(_ command: Command, maxOperations: Int = .max) -> Result<
        Bytes, KeyspaceError
    > {
        defer {
            if openChanges > 0 { snapshots.append(current) }
            openChanges = 0
        }
        do throws(KeyspaceError) {
            try command.check(maxOperations: maxOperations)
            switch command {
            case .put(let request):
                if request.lease != 0 { throw .leaseNotFound }
                if request.ignoreValue || request.ignoreLease, find(request.key) == nil {
                    throw .keyNotFound
                }
                return .success(put(request, Self.header(revision + 1)).bytes)
            case .deleteRange(let request):
                return .success(
                    delete(request) { Self.header($0) }.bytes)
            case .txn(let request):
                return .success(try transaction(request))
            case .compaction(let request):
                if request.revision <= compactRevision { throw .compacted }
                if request.revision > revision { throw .futureRevision }
                compactRevision = request.revision
                return .success(Wire().message(1, Self.header(revision)).bytes)
            case .alarm:
                return .success(Wire().message(1, Self.header(revision)).bytes)
            }
        } catch {
            return .failure(error)
        }
    }

    func find(_ key: ArraySlice<UInt8>) -> Pair? {
        current.first { $0.key[...] == key }
    }

    private mutating func put(_ request: PutRequest, _ header: Wire) -> Wire {
        let old = find(request.key)
        let main = revision + 1
        let pair = Pair(
            key: Bytes(request.key), createRevision: old?.createRevision ?? main,
            modRevision: main, version: (old?.version ?? 0) + 1,
            value: request.ignoreValue ? old?.value ?? [] : Bytes(request.value),
            lease: request.ignoreLease ? old?.lease ?? 0 : request.lease)
        current.removeAll { $0.key == pair.key }
        current.append(pair)
        current.sort { $0.key.lexicographicallyPrecedes($1.key) }
        changes.append(
            Change(
                main: main, sub: openChanges, key: pair.key, isTombstone: false, wire: pair.wire))
        openChanges += 1
        let response = Wire().message(1, header)
        guard request.wantsPrevious, let old else { return response }
        return response.message(2, old.wire)
    }

    private mutating func delete(_ request: DeleteRangeRequest, _ header: (Int64) -> Wire) -> Wire {
        let deleted = current.filter { Self.isIn($0.key, request.key, request.rangeEnd) }
        for pair in deleted {
            changes.append(
                Change(
                    main: revision + 1, sub: openChanges, key: pair.key, isTombstone: true,
                    wire: Wire().text(1, pair.key)))
            openChanges += 1
        }
        current.removeAll { Self.isIn($0.key, request.key, request.rangeEnd) }
        let response = Wire().message(1, header(viewRevision)).int(2, Int64(deleted.count))
        return request.wantsPrevious ? response.messages(3, deleted.map(\.wire)) : response
    }
}

// Reads.
extension Model {
    func range(_ request: RangeRequest) -> Result<Bytes, KeyspaceError> {
        do throws(KeyspaceError) {
            try request.check()
            if request.revision > 0 { try checkReadable(request.revision) }
            return .success(answer(request, Self.header(revision)).bytes)
        } catch {
            return .failure(error)
        }
    }

    /// The latest of one key while only the changes through `committed` are in the prefix.
    func range(_ request: RangeRequest, after committed: Int64) -> Result<Bytes, KeyspaceError> {
        do throws(KeyspaceError) { try request.check() } catch { return .failure(error) }
        let change = changes.last { $0.key[...] == request.key && $0.main <= revision }
        let header = Self.header(max(committed, change?.main ?? 0))
        return .success(answer(request, header).bytes)
    }

    func checkReadable(_ asked: Int64) throws(KeyspaceError) {
        if asked > revision { throw .futureRevision }
        if asked < compactRevision { throw .compacted }
    }

    func answer(_ request: RangeRequest, _ header: Wire) -> Wire {
        let asked = request.revision
        let keys = asked <= 0 || asked > revision ? current : snapshots[Int(asked)]
        let inRange = keys.filter { Self.isIn($0.key, request.key, request.rangeEnd) }
        var found = inRange.filter { pair in
            (request.minModRevision == 0 || pair.modRevision >= request.minModRevision)
                && (request.maxModRevision == 0 || pair.modRevision <= request.maxModRevision)
                && (request.minCreateRevision == 0
                    || pair.createRevision >= request.minCreateRevision)
                && (request.maxCreateRevision == 0
                    || pair.createRevision <= request.maxCreateRevision)
        }
        // The order of equal keys is left as it is, whichever way the sort goes.
        let ranked = found.enumerated().sorted { left, right in
            let isDescending = request.sortOrder == .descending
            let (low, high) = isDescending ? (right, left) : (left, right)
            if Self.isLess(low.element, high.element, request.sortTarget) { return true }
            if Self.isLess(high.element, low.element, request.sortTarget) { return false }
            return left.offset < right.offset
        }
        found = ranked.map(\.element)
        let isCut = request.limit > 0 && found.count > request.limit
        if isCut { found = Array(found.prefix(Int(request.limit))) }
        if request.keysOnly { for position in found.indices { found[position].value = [] } }
        if request.countOnly { found = [] }
        return Wire().message(1, header).messages(2, found.map(\.wire))
            .flag(3, isCut && !request.countOnly).int(4, Int64(inRange.count))
    }

    static func isLess(_ left: Pair, _ right: Pair, _ target: RangeRequest.SortTarget?) -> Bool {
        switch target {
        case .key, nil: left.key.lexicographicallyPrecedes(right.key)
        case .version: left.version < right.version
        case .createRevision: left.createRevision < right.createRevision
        case .modRevision: left.modRevision < right.modRevision
        case .value: left.value.lexicographicallyPrecedes(right.value)
        }
    }

    /// etcd's HashKV, worked out from the list of all changes.
    func hashKV(_ asked: Int64) -> Result<UInt32, KeyspaceError> {
        if asked > 0 {
            do throws(KeyspaceError) { try checkReadable(asked) } catch { return .failure(error) }
        }
        let through = asked == 0 ? revision : asked
        let isAnyLeft = !snapshots[Int(through)].isEmpty
        let keeper = snapshots[Int(isAnyLeft ? through : max(compactRevision, 0))]
        var hashed = Bytes("key".utf8)
        for change in changes where change.main <= through {
            let isKept =
                !change.isTombstone
                && keeper.contains { $0.key == change.key && $0.modRevision == change.main }
            guard change.main > compactRevision || isKept else { continue }
            withUnsafeBytes(of: change.main.bigEndian) { hashed += $0 }
            hashed.append(UInt8(ascii: "_"))
            withUnsafeBytes(of: change.sub.bigEndian) { hashed += $0 }
            if change.isTombstone { hashed.append(UInt8(ascii: "t")) }
            hashed += change.wire.bytes
        }
        return .success(CRC32C.checksum(hashed))
    }
}

// Transactions.
extension Model {
    private mutating func transaction(_ request: TxnRequest) throws(KeyspaceError) -> Bytes {
        // The nested transactions' outcomes are decided first; the chosen ones become a tree.
        let chosen = choose(request)
        try checkPuts(chosen)
        try checkRanges(chosen)
        let body = carryOut(chosen)
        return Wire().message(1, Self.header(viewRevision)).bytes + body.bytes
    }

    indirect enum Chosen {
        case leaf(TxnRequest.Operation)
        case nested(Bool, [Chosen])
    }

    private func choose(_ request: TxnRequest) -> Chosen {
        let succeeds = request.comparisons.allSatisfy(holds)
        return .nested(
            succeeds,
            (succeeds ? request.success : request.failure).map { operation in
                if case .txn(let nested) = operation { choose(nested) } else { .leaf(operation) }
            })
    }

    private func holds(_ comparison: Comparison) -> Bool {
        let pairs = current.filter { Self.isIn($0.key, comparison.key, comparison.rangeEnd) }
        if pairs.isEmpty {
            let missing = Pair(
                key: [], createRevision: 0, modRevision: 0, version: 0, value: [], lease: 0)
            return comparison.target != .value && holds(comparison, missing)
        }
        return pairs.allSatisfy { holds(comparison, $0) }
    }

    private func holds(_ comparison: Comparison, _ pair: Pair) -> Bool {
        var isLess = false
        var isGreater = false
        func compare(_ actual: Int64, _ target: Comparison.Target) {
            var expected: Int64 = 0
            if case .integer(target, let value) = comparison.operand { expected = value }
            (isLess, isGreater) = (actual < expected, actual > expected)
        }
        switch comparison.target {
        case .version: compare(pair.version, .version)
        case .createRevision: compare(pair.createRevision, .createRevision)
        case .modRevision: compare(pair.modRevision, .modRevision)
        case .lease: compare(pair.lease, .lease)
        case .value:
            var expected: Bytes = []
            if case .value(let value) = comparison.operand { expected = Bytes(value) }
            isLess = pair.value.lexicographicallyPrecedes(expected)
            isGreater = expected.lexicographicallyPrecedes(pair.value)
        case nil: break
        }
        return switch comparison.result {
        case .equal: !isLess && !isGreater
        case .greater: isGreater
        case .less: isLess
        case .notEqual: isLess || isGreater
        case nil: true
        }
    }

    private func checkPuts(_ chosen: Chosen) throws(KeyspaceError) {
        switch chosen {
        case .leaf(.put(let request)):
            if request.ignoreValue || request.ignoreLease, find(request.key) == nil {
                throw .keyNotFound
            }
            if request.lease != 0 { throw .leaseNotFound }
        case .leaf: break
        case .nested(_, let all): for one in all { try checkPuts(one) }
        }
    }

    private func checkRanges(_ chosen: Chosen) throws(KeyspaceError) {
        switch chosen {
        case .leaf(.range(let request)):
            if request.revision != 0 { try checkReadable(request.revision) }
        case .leaf: break
        case .nested(_, let all): for one in all { try checkRanges(one) }
        }
    }

    /// The answer without its header.
    private mutating func carryOut(_ chosen: Chosen) -> Wire {
        guard case .nested(let succeeded, let all) = chosen else { return Wire() }
        var answer = Wire().flag(2, succeeded)
        func revisionOnly(_ revision: Int64) -> Wire { Wire().int(3, revision) }
        for one in all {
            let response: Wire
            switch one {
            case .nested:
                let body = carryOut(one)
                response = Wire().message(
                    4, Wire(bytes: Wire().message(1, Wire()).bytes + body.bytes))
            case .leaf(.range(let request)):
                response = Wire().message(1, self.answer(request, revisionOnly(viewRevision)))
            case .leaf(.put(let request)):
                response = Wire().message(2, put(request, revisionOnly(revision + 1)))
            case .leaf(.deleteRange(let request)):
                response = Wire().message(3, delete(request, revisionOnly))
            case .leaf(.txn), .leaf(.empty): response = Wire()
            }
            answer = answer.message(3, response)
        }
        return answer
    }
}
