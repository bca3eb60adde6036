import EtcdWire
import SwiftProtobuf
import SynodBytes
import SynodKeyspace
import Testing

/// The hand-written reader and writer against the messages that swift-protobuf generates. What they
/// read and write again comes out byte for byte only if both agree on every field.
@Suite struct GeneratedMessageTests {
    private func rewritten<M: SwiftProtobuf.Message>(_ type: M.Type, _ bytes: Bytes) throws -> Bytes
    {
        let message = try M(serializedBytes: bytes)
        #expect(message.unknownFields.data.isEmpty)
        return try message.serializedBytes()
    }

    @Test func answersAreWhatClientsRead() throws {
        var requests = RandomRequests(seed: 77)
        var setting = try Setting()
        var answers = 0
        for _ in 0..<1500 {
            let command = requests.command(current: setting.keyspace.revision)
            guard case .success(let answer) = try setting.run(command) else { continue }
            answers += 1
            switch command {
            case .put: #expect(try rewritten(EtcdPutResponse.self, answer) == answer)
            case .deleteRange:
                #expect(try rewritten(EtcdDeleteRangeResponse.self, answer) == answer)
            case .txn: #expect(try rewritten(EtcdTxnResponse.self, answer) == answer)
            case .compaction: #expect(try rewritten(EtcdCompactionResponse.self, answer) == answer)
            case .alarm: #expect(try rewritten(EtcdAlarmResponse.self, answer) == answer)
            }
            let range = requests.range(current: setting.keyspace.revision)
            if case .success(let answer) = try setting.range(range) {
                #expect(try rewritten(EtcdRangeResponse.self, answer) == answer)
            }
        }
        #expect(answers > 500)
        let hash = try setting.keyspace.hashKV(revision: 0, header: header).get()
        #expect(try rewritten(EtcdHashKVResponse.self, hash) == hash)
        let whole = try setting.keyspace.hash(header: header)
        #expect(try rewritten(EtcdHashResponse.self, whole) == whole)
    }

    /// Requests as a client's library writes them are carried out as the model does it.
    @Test func requestsAreWhatClientsWrite() throws {
        var requests = RandomRequests(seed: 78)
        var model = Model()
        var setting = try Setting()
        for _ in 0..<600 {
            let request = requests.txn(current: model.revision)
            let bytes = try rewritten(EtcdTxnRequest.self, request.wire.bytes)
            let command = Command.encode(.txn, bytes)
            #expect(try setting.apply(command) == model.run(.txn(request)))
            try setting.commit()
            let range = requests.range(current: model.revision)
            let asked = try rewritten(EtcdRangeRequest.self, range.wire.bytes)
            #expect(try setting.keyspace.range(asked[...], header: header) == model.range(range))
        }
    }
}
