import SynodBytes
import SynodKeyspace
import Testing

@Suite struct AlarmTests {
    private func alarm(
        _ action: AlarmRequest.Action, member: UInt64 = 0, _ kind: Alarm.Kind? = nil
    ) -> Command {
        var request = AlarmRequest()
        request.action = action
        request.memberID = member
        request.kind = kind
        return .alarm(request)
    }

    private func response(_ alarms: (UInt64, Int64)...) -> Bytes {
        Wire().message(1, Model.header(1))
            .messages(2, alarms.map { Wire().int(1, Int64($0.0)).int(2, $0.1) }).bytes
    }

    @Test func alarmsAreRaisedListedAndDisarmed() throws {
        var setting = try Setting()
        #expect(try setting.run(alarm(.activate, member: 9, .noSpace)).get() == response((9, 1)))
        #expect(try setting.run(alarm(.activate, member: 9, .noSpace)).get() == response((9, 1)))
        #expect(try setting.run(alarm(.activate, member: 3, .noSpace)).get() == response((3, 1)))
        #expect(try setting.run(alarm(.activate, member: 1, .corrupt)).get() == response((1, 2)))
        #expect(try setting.run(alarm(.activate, member: 1)).get() == response())
        let all = response((3, 1), (9, 1), (1, 2))
        #expect(try setting.keyspace.alarms([], header: header).get() == all)
        #expect(try setting.run(alarm(.get)).get() == all)
        #expect(try setting.run(alarm(.get, .corrupt)).get() == response((1, 2)))
        #expect(try setting.run(alarm(.deactivate, member: 4, .noSpace)).get() == response())
        #expect(try setting.run(alarm(.deactivate, member: 9, .noSpace)).get() == response((9, 1)))
        #expect(
            setting.keyspace.alarms.map(\.description)
                == ["memberID:3 alarm:NOSPACE ", "memberID:1 alarm:CORRUPT "])
    }

    @Test func withoutSpaceOnlyWhatNeedsNoneIsDone() throws {
        var setting = try Setting()
        try setting.put("a", "1")
        _ = try setting.run(alarm(.activate, member: 1, .noSpace)).get()
        let put = PutRequest("a", "2")
        #expect(try setting.run(.put(put)) == .failure(.noSpace))
        let nested = TxnRequest([.txn(TxnRequest([], else: [.put(put)]))])
        #expect(try setting.run(.txn(nested)) == .failure(.noSpace))
        #expect(throws: Never.self) { try setting.range(RangeRequest("a")).get() }
        try setting.delete("a")
        try setting.compact(3)
        _ = try setting.run(alarm(.deactivate, member: 1, .noSpace)).get()
        try setting.put("a", "2")
    }

    @Test func corruptionStopsEverythingAboutKeys() throws {
        var setting = try Setting()
        _ = try setting.run(alarm(.activate, member: 1, .corrupt)).get()
        #expect(try setting.run(.put(PutRequest("a", "2"))) == .failure(.corrupt))
        #expect(try setting.run(.compact(1)) == .failure(.corrupt))
        #expect(try setting.range(RangeRequest("a")) == .failure(.corrupt))
        let read = TxnRequest([.range(RangeRequest("a"))]).wire.bytes
        let answer = try setting.keyspace.readTransaction(read[...], header: header)
        #expect(answer == .failure(.corrupt))
    }

    @Test func alarmsAreBounded() throws {
        var setting = try Setting()
        for member in 1...UInt64(Limits.alarms) {
            try setting.apply(alarm(.activate, member: member, .noSpace).bytes, header: nil)
        }
        #expect(
            try setting.run(alarm(.activate, member: 5000, .noSpace)) == .failure(.tooManyRequests))
    }
}
