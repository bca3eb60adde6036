import SynodBytes
import SynodKeyspace
import Testing

/// What the doors ask of a command before it is proposed.
@Suite struct CommandTests {
    private func refusal(_ command: Command, maxOperations: Int = 128) -> KeyspaceError? {
        do throws(KeyspaceError) {
            try Command(command.bytes[...]).check(maxOperations: maxOperations)
            return nil
        } catch {
            return error
        }
    }

    /// What becomes of a transaction of these operations.
    private func refused(_ operations: TxnRequest.Operation...) -> KeyspaceError? {
        refusal(.txn(TxnRequest(operations)))
    }

    @Test func putsAreChecked() {
        #expect(refusal(.put(PutRequest("", "v"))) == .emptyKey)
        var put = PutRequest("k", "v")
        #expect(refusal(.put(put)) == nil)
        put.ignoreValue = true
        #expect(refusal(.put(put)) == .valueProvided)
        put = PutRequest("k", "")
        put.lease = -1
        put.ignoreLease = true
        #expect(refusal(.put(put)) == .leaseProvided)
    }

    @Test func theOperationsOfATransactionAreChecked() {
        #expect(refused(.put(PutRequest("", ""))) == .emptyKey)
        #expect(refused(.deleteRange(DeleteRangeRequest(""))) == .emptyKey)
        #expect(refused(.range(RangeRequest(""))) == .emptyKey)
        #expect(refused(.empty) == .keyNotFound)
        #expect(refusal(.txn(TxnRequest([], else: [.empty]))) == .keyNotFound)
        #expect(refusal(.txn(TxnRequest([], if: [Comparison()]))) == .emptyKey)
        var range = RangeRequest("k")
        range.sortTarget = nil
        #expect(refused(.range(range)) == .invalidSortOption)
    }

    @Test func nestedTransactionsShareTheBudget() {
        let put = TxnRequest.Operation.put(PutRequest("k", ""))
        func nested(_ depth: Int) -> TxnRequest {
            TxnRequest([depth == 1 ? put : .txn(nested(depth - 1))])
        }
        #expect(refusal(.txn(nested(3)), maxOperations: 3) == nil)
        #expect(refusal(.txn(nested(4)), maxOperations: 3) == .tooManyOperations)
        let ranges = (0..<4).map { TxnRequest.Operation.range(RangeRequest("k\($0)")) }
        #expect(refusal(.txn(TxnRequest(ranges)), maxOperations: 4) == nil)
        #expect(refusal(.txn(TxnRequest(ranges)), maxOperations: 3) == .tooManyOperations)
        let wide = TxnRequest([], else: [.txn(TxnRequest([put]))] + ranges)
        #expect(refusal(.txn(wide), maxOperations: 5) == .tooManyOperations)
        #expect(refusal(.txn(nested(Limits.transactionDepth))) == nil)
    }

    @Test func nestingBeyondTheLimitIsMalformed() throws {
        var message = TxnRequest().wire
        for _ in 0..<2000 { message = Wire().message(2, Wire().message(4, message)) }
        let command = Command.encode(.txn, message.bytes)
        #expect(throws: KeyspaceError.self) { try Command(command[...]) }
        var setting = try Setting()
        let answer = try setting.apply(command)
        guard case .failure(let refusal) = try #require(answer) else {
            Issue.record("It was carried out.")
            return
        }
        #expect(refusal.code == 13)
        #expect(setting.keyspace.revision == 1)
    }

    @Test func aKeyIsChangedOnce() {
        func put(_ key: String) -> TxnRequest.Operation { .put(PutRequest(key, "")) }
        func delete(_ key: String, _ end: String = "") -> TxnRequest.Operation {
            .deleteRange(DeleteRangeRequest(key, end))
        }
        func nested(
            _ success: TxnRequest.Operation..., else failure: [TxnRequest.Operation] = []
        ) -> TxnRequest.Operation {
            .txn(TxnRequest(success, else: failure))
        }
        #expect(refused(put("a"), put("b")) == nil)
        #expect(refused(put("a"), put("a")) == .duplicateKey)
        #expect(refused(put("a"), delete("a")) == .duplicateKey)
        #expect(refused(delete("a", "c"), put("b")) == .duplicateKey)
        #expect(refused(delete("a", "c"), put("c")) == nil)
        #expect(refused(delete("a", "c"), delete("b")) == nil)
        #expect(refused(put("a"), nested(put("a"))) == .duplicateKey)
        #expect(refused(delete("a"), nested(put("b"), else: [put("a")])) == .duplicateKey)
        #expect(refused(nested(put("a")), nested(put("a"))) == .duplicateKey)
        #expect(refused(nested(put("a"), else: [put("a")])) == nil)
        #expect(refused(nested(delete("a")), put("a")) == .duplicateKey)
        #expect(refused(nested(put("a"), else: [delete("a")])) == nil)
        #expect(refusal(.txn(TxnRequest([], else: [put("a"), put("a")]))) == .duplicateKey)
        // Verified with etcd 3.4.23: an open end hides no put.
        #expect(refused(put("b"), delete("a", "\0")) == nil)
    }

    /// The keys as they are written in the encoded command, found by their offsets in it.
    private func keys(_ command: Command) throws -> [String]? {
        let bytes = command.bytes
        func read(_ bound: ArraySlice<UInt8>) -> String {
            String(decoding: bytes[bound.startIndex..<bound.endIndex], as: UTF8.self)
        }
        return try Command(bytes[...]).keys?.map { range in
            switch range.upper {
            case .point: read(range.lower)
            case .open: "\(read(range.lower))..."
            case .below(let upper): "\(read(range.lower))..<\(read(upper))"
            }
        }
    }

    @Test func everyKeyIsNamed() throws {
        #expect(try keys(.put(PutRequest("a", "v"))) == ["a"])
        #expect(try keys(.deleteRange(DeleteRangeRequest("a"))) == ["a"])
        #expect(try keys(.deleteRange(DeleteRangeRequest("a", "bc"))) == ["a..<bc"])
        #expect(try keys(.deleteRange(DeleteRangeRequest("a", "\0"))) == ["a..."])
        #expect(try keys(.compact(3)) == nil)
        #expect(try keys(.alarm(AlarmRequest())) == nil)
        var compared = Comparison()
        compared.key = text("c")
        var transaction = TxnRequest(
            [.put(PutRequest("a", "")), .txn(TxnRequest([.range(RangeRequest("d"))]))],
            else: [.deleteRange(DeleteRangeRequest("a", "b"))], if: [compared])
        #expect(try keys(.txn(transaction)) == ["c", "a", "d", "a..<b"])
        transaction.comparisons[0].rangeEnd = text("\0")
        #expect(try keys(.txn(transaction)) == ["c...", "a", "d", "a..<b"])
    }

    @Test func onlyPlainPutsAreCertain() {
        #expect(Command.put(PutRequest("a", "")).isCertain)
        #expect(!Command.put(PutRequest("", "v")).isCertain)
        for change in [\PutRequest.ignoreValue, \.ignoreLease] {
            var put = PutRequest("a", "")
            put[keyPath: change] = true
            #expect(!Command.put(put).isCertain)
        }
        var leased = PutRequest("a", "")
        leased.lease = 1
        #expect(!Command.put(leased).isCertain)
        #expect(!Command.deleteRange(DeleteRangeRequest("a")).isCertain)
        #expect(!Command.txn(TxnRequest([.put(PutRequest("a", ""))])).isCertain)
    }

    @Test func spaceIsCountedForTheDearerBranch() {
        #expect(Command.put(PutRequest("ab", "cde")).spaceCost == 261)
        #expect(Command.deleteRange(DeleteRangeRequest("ab")).spaceCost == 0)
        let put = TxnRequest.Operation.put(PutRequest("a", "b"))
        let nested = TxnRequest([put], else: [.txn(TxnRequest([put])), put])
        #expect(Command.txn(nested).spaceCost == 516)
        #expect(Command.txn(TxnRequest([.range(RangeRequest("a"))])).spaceCost == 0)
    }

    @Test func readOnlyTransactionsAreTold() {
        var serializable = RangeRequest("a")
        serializable.isSerializable = true
        let mixed = TxnRequest([.range(serializable)], else: [.range(RangeRequest("b"))])
        #expect(mixed.isReadOnly)
        #expect(!mixed.isSerializable)
        #expect(TxnRequest([.range(serializable)]).isSerializable)
        #expect(!TxnRequest([.txn(TxnRequest([.range(serializable)]))]).isReadOnly)
        #expect(!TxnRequest([], else: [.put(PutRequest("a", ""))]).isReadOnly)
    }

    /// Whatever the bytes are, decoding and applying end with an answer, and every replica gives
    /// the same.
    @Test func anyBytesAreAnswered() throws {
        var prng = PRNG(seed: 5)
        var requests = RandomRequests(seed: 6)
        var one = try Setting()
        var other = try Setting()
        for _ in 0..<3000 {
            var bytes = requests.command(current: one.keyspace.revision).bytes
            for _ in 0..<prng.below(4) {
                let place = Int(prng.below(UInt64(bytes.count)))
                switch prng.below(3) {
                case 0: bytes[place] = UInt8(prng.below(256))
                case 1: bytes.removeSubrange(place...)
                default: bytes.insert(UInt8(prng.below(256)), at: place)
                }
                if bytes.isEmpty { bytes = [9] }
            }
            let answer = try one.apply(bytes)
            #expect(try other.apply(bytes) == answer)
            try one.commit()
        }
        try other.commit()
        #expect(try one.keyspace.hash() == other.keyspace.hash())
        _ = try Setting(store: one.store)
    }
}
