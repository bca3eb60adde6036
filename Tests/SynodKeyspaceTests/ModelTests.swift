import SynodBytes
import SynodKeyspace
import SynodStorage
import Testing

/// Thousands of random requests, carried out by the keyspace and by the model: every answer, every
/// refusal and every hash is the same, whatever is cached, committed, removed or reloaded when.
@Suite struct ModelTests {
    @Test(arguments: [1, 2, 3, 4, 5, 6] as [UInt64])
    func everyAnswerIsTheModels(seed: UInt64) throws {
        var requests = RandomRequests(seed: seed)
        var model = Model()
        // From no cache at all to one that holds everything.
        let budgets = [0, 300, 20_000, 1 << 20]
        var setting = try Setting(cacheBudget: budgets[Int(seed) % budgets.count])
        var outcomes = Outcomes()
        for _ in 0..<1500 {
            let command = requests.command(current: model.revision)
            let expected = model.run(command)
            let answer = try setting.apply(command.bytes)
            #expect(answer == expected, "seed \(seed): \(command)")
            outcomes.count(expected)
            var isCommitted = requests.prng.chance(1, in: 3)
            if case .compaction = command { isCommitted = true }
            if isCommitted { try setting.commit() }
            if requests.prng.chance(1, in: 3) {
                _ = try setting.keyspace.compactStep(
                    budget: Int(requests.prng.within(1...8)))
            }
            if requests.prng.chance(1, in: 100) {
                try setting.commit()
                try setting.restart()
            }
            try compare(&setting, model, &requests)
        }
        #expect(outcomes.successes > 500)
        #expect(outcomes.refusals.count >= 8, "\(outcomes.refusals)")
    }

    private func compare(
        _ setting: inout Setting, _ model: Model, _ requests: inout RandomRequests
    ) throws {
        let committed = model.at(setting.keyspace.revision)
        #expect(setting.revision == model.revision)
        #expect(setting.keyspace.compactRevision == model.compactRevision)
        #expect(setting.keyspace.keyCount == committed.current.count)
        for _ in 0..<2 {
            let request = requests.range(current: committed.revision)
            let expected =
                request.isLatestOfOneKey
                ? model.range(request, after: committed.revision) : committed.range(request)
            #expect(try setting.range(request) == expected, "\(request)")
        }
        try compareReadTransaction(&setting, committed, &requests)
        guard requests.prng.chance(1, in: 10) else { return }
        let revision = requests.prng.within(
            max(0, committed.revision - 12)...committed.revision + 1)
        let hash = try setting.keyspace.hashKV(revision: revision).map(\.hash)
        #expect(hash == committed.hashKV(revision))
    }

    private func compareReadTransaction(
        _ setting: inout Setting, _ model: Model, _ requests: inout RandomRequests
    ) throws {
        let request = requests.txn(current: model.revision, depth: 3)
        guard request.isReadOnly else { return }
        var copy = model
        #expect(
            try setting.keyspace.readTransaction(request.wire.bytes[...], header: header)
                == copy.run(.txn(request)))
    }

    private struct Outcomes {
        var successes = 0
        var refusals: Set<KeyspaceError> = []

        mutating func count(_ result: Result<Bytes, KeyspaceError>) {
            switch result {
            case .success: successes += 1
            case .failure(let refusal): refusals.insert(refusal)
            }
        }
    }

    /// Replicas that differ in everything that must not matter hold the same in the end.
    @Test func answeringCachingAndRemovingChangeNothing() throws {
        var requests = RandomRequests(seed: 42)
        var one = try Setting(cacheBudget: 0)
        var other = try Setting()
        for position in 1...2000 {
            let command = requests.command(current: one.keyspace.revision)
            _ = try one.run(command)
            #expect(try other.apply(command.bytes, header: nil) == nil)
            if position % 64 == 0 { try other.commit() }
            if position % 100 == 0 { try one.finishCompaction() }
        }
        try other.commit()
        #expect(try one.keyspace.hash() == other.keyspace.hash())
        try one.finishCompaction()
        try other.finishCompaction()
        #expect(one.keyspace.usedBytes == other.keyspace.usedBytes)
        #expect(try one.records() == other.records())
    }
}
