import SynodBytes
import SynodKeyspace
import SynodStorage
import Testing

/// Whatever order commands are carried out in, as long as those that share a key keep theirs, and
/// whenever the prefix is committed or all that is ahead of it is lost: every answer, every read and
/// the store in the end are those of the commands in order.
@Suite struct OutOfOrderTests {
    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64])
    func theOrderOfCommandsOnOtherKeysDoesNotMatter(seed: UInt64) throws {
        let history = try History(seed: seed, count: 500)
        var run = try Run(of: history, seed: seed)
        while run.prefix < history.steps.count { try run.step() }
        #expect(run.overtakings > 50)
        #expect(run.aheadReads > 50)
        #expect(run.aheadRanges > 20)
        #expect(run.restarts > 0)
        #expect(!run.setting.keyspace.isAhead)
        try run.setting.finishCompaction()
        try run.setting.restart()
        #expect(try run.setting.hash() == history.model.hashKV(0).get())
        #expect(try run.setting.records() == history.inOrder.records())
        #expect(run.setting.keyspace.usedBytes == history.inOrder.keyspace.usedBytes)
    }

    /// Reads while a later command has run and an earlier one has not.
    @Test func whatIsReadAhead() throws {
        var setting = try Setting()
        try setting.put("a", "1")
        try setting.put("b", "1")
        func answer(_ revision: Int64, _ request: RangeRequest, _ model: Model) -> Bytes {
            model.answer(request, Model.header(revision)).bytes
        }
        var model = Model()
        for key in ["a", "b"] { _ = model.run(.put(PutRequest(key, "1"))) }
        let before = model
        model.skipRevision()
        let put = Command.put(PutRequest("b", "2"))
        _ = model.run(put)
        let applied = try setting.keyspace.apply(put.bytes[...], after: 4, header: header)
        #expect(applied.hasChanged)
        #expect(setting.keyspace.isAhead)
        #expect(setting.keyspace.revision == 3)
        let single = RangeRequest("b")
        #expect(try setting.range(single).get() == answer(5, single, model))
        let other = RangeRequest("a")
        #expect(try setting.range(other).get() == answer(3, other, before))
        let both = RangeRequest("a", "c")
        #expect(try setting.range(both).get() == answer(3, both, before))
        let upper = RangeRequest("b", "c")
        #expect(try setting.range(upper, ahead: 5).get() == answer(5, upper, model))
        let past = RangeRequest("b", revision: 3)
        #expect(try setting.range(past).get() == answer(3, past, before))
        #expect(try setting.range(RangeRequest("b", revision: 5)) == .failure(.futureRevision))
        let transaction = TxnRequest([.range(single)])
        var copy = before
        let expected = copy.run(.txn(transaction))
        let found = try setting.keyspace.readTransaction(
            transaction.wire.bytes[...], header: header)
        #expect(found == expected)
        try setting.restart()
        #expect(try setting.range(single).get() == answer(3, single, before))
    }

    /// Memory is given back although there is always something ahead.
    @Test func whatIsAheadMayLastForEver() throws {
        var setting = try Setting(cacheBudget: 0)
        let value = String(repeating: "v", count: 1000)
        for number in 0..<1000 as Range<Int64> {
            // Revisions 3, 2, 5, 4, 7, 6 and so on; what is committed trails by one.
            let before = number ^ 1
            let put = Command.put(PutRequest("k\(before)", value)).bytes
            _ = try setting.keyspace.apply(put[...], after: before + 1, header: nil)
            let single = RangeRequest("k\(before)")
            #expect(try setting.range(single).get().count > 1000)
            guard number > 0, number % 2 == 0 else { continue }
            try setting.keyspace.commit(
                through: UInt64(number), revision: number + 1, outcomes: [])
            #expect(setting.keyspace.isAhead)
        }
        try setting.keyspace.commit(through: 1000, revision: 1001, outcomes: [])
        #expect(setting.keyspace.keyCount == 1000)
        try setting.restart()
        #expect(setting.keyspace.keyCount == 1000)
    }
}

/// One of a history's commands, or a revision that no command takes.
private struct Step {
    /// Nil for a revision that is skipped.
    var command: Bytes?
    /// Lower and exclusive upper ends; nil for everything.
    var keys: [(lower: Bytes, upper: Bytes?)]? = []
    var answer: Result<Bytes, KeyspaceError>?
    /// Before it and after it.
    var before: Int64
    var revision: Int64
    var compactRevision: Int64

    func overlaps(_ other: Step) -> Bool {
        guard let keys, let others = other.keys else { return true }
        func isBelow(_ key: Bytes, _ upper: Bytes?) -> Bool {
            upper.map { key.lexicographicallyPrecedes($0) } ?? true
        }
        return keys.contains { key in
            others.contains { isBelow(key.lower, $0.upper) && isBelow($0.lower, key.upper) }
        }
    }

    func touches(_ range: KeyRange) -> Bool {
        overlaps(Step(keys: [Self.ends(of: range)], before: 0, revision: 0, compactRevision: 0))
    }

    static func ends(of range: KeyRange) -> (lower: Bytes, upper: Bytes?) {
        let lower = Bytes(range.lower)
        return switch range.upper {
        case .point: (lower, lower + [0])
        case .open: (lower, nil)
        case .below(let upper): (lower, Bytes(upper))
        }
    }
}

/// Random commands in order, with what the model says of them.
private struct History {
    var steps: [Step] = []
    var model = Model()
    var inOrder: Setting

    init(seed: UInt64, count: Int) throws {
        inOrder = try Setting()
        var requests = RandomRequests(seed: seed)
        for _ in 0..<count { try add(&requests) }
        try inOrder.finishCompaction()
    }

    private mutating func add(_ requests: inout RandomRequests) throws {
        let before = model.revision
        var command: Command?
        if requests.prng.chance(1, in: 15) {
            model.skipRevision()
            inOrder.revision += 1
            inOrder.position += 1
            try inOrder.commit()
        } else if requests.prng.chance(1, in: 2) {
            // Most of the commands below are about ranges, which little can overtake.
            command = .put(requests.put())
        } else {
            command = requests.command(current: before)
        }
        let answer = command.map { model.run($0) }
        if let command { #expect(try inOrder.run(command) == answer) }
        let bytes = command?.bytes
        steps.append(
            Step(
                command: bytes, keys: try bytes.map(Self.keys) ?? [], answer: answer,
                before: before, revision: model.revision, compactRevision: model.compactRevision))
    }

    private static func keys(_ command: Bytes) throws -> [(lower: Bytes, upper: Bytes?)]? {
        try Command(command[...]).keys?.map(Step.ends)
    }
}

/// A history that is being carried out in some other order.
private struct Run {
    let history: History
    var setting: Setting
    var requests: RandomRequests
    /// Which steps are done in the present life.
    var isDone: [Bool]
    /// How many steps are committed.
    var prefix = 0
    var outcomes: [SlotOutcome] = []
    var overtakings = 0
    var aheadReads = 0
    var aheadRanges = 0
    var restarts = 0

    init(of history: History, seed: UInt64) throws {
        self.history = history
        let budgets = [0, 300, 1 << 20]
        setting = try Setting(cacheBudget: budgets[Int(seed) % budgets.count])
        requests = RandomRequests(seed: seed + 1000)
        isDone = Array(repeating: false, count: history.steps.count)
    }

    private var steps: [Step] { history.steps }
    /// How many steps are done without any missing before.
    private var gapless: Int { isDone.firstIndex(of: false) ?? isDone.count }
    private var revision: Int64 { prefix == 0 ? 1 : steps[prefix - 1].revision }

    mutating func step() throws {
        if gapless < steps.count { try carryOutOne() }
        if requests.prng.chance(1, in: 4) { try commit(atLeast: prefix) }
        if requests.prng.chance(1, in: 3) { _ = try setting.keyspace.compactStep(budget: 3) }
        if requests.prng.chance(1, in: 80) { try restart() }
        try compareReads()
    }

    private mutating func carryOutOne() throws {
        let window = gapless..<min(gapless + 20, steps.count)
        let open = window.filter { !isDone[$0] }
        let ready = open.filter { number in
            !open.contains { $0 < number && steps[$0].overlaps(steps[number]) }
        }
        let number = ready[Int(requests.prng.below(UInt64(ready.count)))]
        if number > gapless { overtakings += 1 }
        isDone[number] = true
        let step = steps[number]
        guard let command = step.command else { return }
        let isAnswered = requests.prng.chance(3, in: 4)
        let applied = try setting.keyspace.apply(
            command[...], after: step.before, header: isAnswered ? header : nil)
        #expect(applied.result == (isAnswered ? step.answer : nil), "step \(number)")
        #expect(applied.hasChanged == (step.revision > step.before), "step \(number)")
        if step.keys == nil { try commit(atLeast: number + 1) }
    }

    private mutating func commit(atLeast least: Int) throws {
        prefix = Int(requests.prng.within(Int64(least)...Int64(gapless)))
        outcomes = (0..<requests.prng.below(4)).map { number in
            SlotOutcome(slot: UInt64(prefix) + number, taken: UInt32(number))
        }
        try setting.keyspace.commit(through: UInt64(prefix), revision: revision, outcomes: outcomes)
    }

    private mutating func restart() throws {
        try setting.restart()
        #expect(setting.keyspace.appliedThrough == UInt64(prefix))
        #expect(setting.keyspace.outcomes == outcomes)
        for number in prefix..<steps.count { isDone[number] = false }
        for number in 0..<prefix { #expect(isDone[number]) }
        restarts += 1
    }

    private mutating func compareReads() throws {
        var model = history.model
        model.compactRevision = prefix == 0 ? -1 : steps[prefix - 1].compactRevision
        let committed = model.at(revision)
        #expect(setting.keyspace.revision == revision)
        #expect(setting.keyspace.keyCount == committed.current.count)
        #expect(setting.keyspace.compactRevision == committed.compactRevision)
        if setting.keyspace.isAhead { aheadReads += 1 }
        for _ in 0..<3 {
            let request = requests.range(current: revision)
            guard request.isLatestOfOneKey else {
                let ahead = setting.keyspace.isAhead ? revisionAhead(for: request.range) : nil
                let found = try setting.range(request, ahead: ahead)
                let isPast = request.revision > 0
                if ahead != nil && !isPast { aheadRanges += 1 }
                let seen = model.at(isPast ? revision : ahead ?? revision)
                #expect(found == seen.range(request), "\(request)")
                continue
            }
            let found = try setting.range(request)
            let last = steps.indices.last { isDone[$0] && steps[$0].touches(request.range) }
            let seen = max(revision, last.map { steps[$0].revision } ?? 1)
            #expect(found == model.at(seen).range(request, after: revision), "\(request)")
        }
        let transaction = requests.txn(current: revision, depth: 3)
        if transaction.isReadOnly {
            var copy = committed
            let found = try setting.keyspace.readTransaction(
                transaction.wire.bytes[...], header: header)
            #expect(found == copy.run(.txn(transaction)))
        }
        let asked = requests.prng.chance(1, in: 2) ? 0 : requests.prng.within(0...revision + 1)
        let hash = try setting.keyspace.hashKV(revision: asked).map(\.hash)
        #expect(hash == committed.hashKV(asked))
    }

    /// The revision behind the last step that touches the range, if all of those before it are done;
    /// nil if that is committed.
    private func revisionAhead(for range: KeyRange) -> Int64? {
        let touching = steps.indices[prefix...].filter { steps[$0].touches(range) }
        return touching.prefix { isDone[$0] }.last.map { steps[$0].revision }
    }
}
