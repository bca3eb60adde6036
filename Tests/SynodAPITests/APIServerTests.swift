import EtcdWire
import FoundationEssentials
import NIOCore
import NIOPosix
import SwiftProtobuf
import SynodAPI
import SynodBytes
import SynodClient
import SynodKeyspace
import SynodNode
import Testing

import enum SynodPaxos.Footprint
import struct SynodPaxos.KeySpan
import enum SynodPaxos.ReadScope

/// The client port and the client, over real sockets.
@Suite struct APIServerTests {
    private static let members = [
        APIConfiguration.Member(
            id: 7, name: "one", peerURLs: ["http://a:2380"]),
        APIConfiguration.Member(id: 8, name: "two", peerURLs: ["http://b:2380"]),
    ]

    private func withServer(
        answer: @escaping @Sendable (ClientRequest.Body) -> Answer.Content?,
        _ body: (SynodClient, ScriptedReplica, String) async throws -> Void
    ) async throws {
        let replica = ScriptedReplica(answer: answer)
        let server = APIServer(
            configuration: APIConfiguration(
                listen: [.init(host: "127.0.0.1", port: 0)], clusterID: 5, memberID: 7,
                members: Self.members, maxRequestBytes: 1_000),
            sink: replica, group: MultiThreadedEventLoopGroup.singleton)
        replica.use(server.answerSinks)
        let port = try #require(try await server.start().first?.port)
        let endpoint = "127.0.0.1:\(port)"
        let client = try SynodClient(endpoints: [endpoint])
        try await body(client, replica, endpoint)
        await client.close()
        await server.shutdown()
    }

    private static func encoded(_ message: some Message) -> Answer.Content {
        do { return .message(try message.serializedBytes()) } catch { fatalError("\(error)") }
    }

    @Test func aPutIsReplicatedAsItCame() async throws {
        try await withServer { body in
            var response = EtcdPutResponse()
            response.header.revision = 12
            return Self.encoded(response)
        } _: { client, replica, _ in
            var request = EtcdPutRequest()
            request.key = Data("k".utf8)
            request.value = Data("v".utf8)
            let response = try await client.put(request)
            #expect(response.header.revision == 12)
            let body = try #require(replica.bodies.first)
            guard case .write(let command, let footprint, let isCertain, _) = body else {
                Issue.record("a put is a write")
                return
            }
            let encoded: [UInt8] = try request.serializedBytes()
            #expect(command == Command.encode(.put, encoded))
            #expect(footprint.spans(in: command[...]) == [KeySpan(Bytes("k".utf8)[...])])
            #expect(isCertain)
        }
    }

    @Test func readsSayHowFreshTheyMustBe() async throws {
        try await withServer { _ in
            .message([])
        } _: { client, replica, _ in
            var range = EtcdRangeRequest()
            range.key = Data("k".utf8)
            _ = try await client.range(range)
            range.serializable = true
            _ = try await client.range(range)
            var transaction = EtcdTxnRequest()
            transaction.success = [.with { $0.requestRange = range }]
            _ = try await client.txn(transaction)
            transaction.success.append(.with { $0.requestPut.key = Data("k".utf8) })
            _ = try await client.txn(transaction)
            let kinds = replica.bodies.map { body in
                switch body {
                case .range(_, let scope): "range \(scope != nil)"
                case .readTransaction(_, let scope): "read \(scope != nil)"
                case .write: "write"
                default: "other"
                }
            }
            #expect(kinds == ["range true", "range false", "read false", "write"])
        }
    }

    @Test func badRequestsAreRefusedAtTheDoor() async throws {
        try await withServer { _ in
            .message([])
        } _: { client, replica, _ in
            await #expect(
                throws: ClientError(
                    code: .invalidArgument, message: "etcdserver: key is not provided")
            ) { try await client.put(EtcdPutRequest()) }
            await #expect(
                throws: ClientError(
                    code: .invalidArgument, message: "etcdserver: request is too large")
            ) {
                try await client.put(
                    .with {
                        $0.key = Data("k".utf8)
                        $0.value = Data(repeating: 0, count: 1_000)
                    })
            }
            let error = await #expect(throws: ClientError.self) {
                try await client.put(
                    .with {
                        $0.key = Data("k".utf8)
                        $0.value = Data(repeating: 0, count: 1_000_000)
                    })
            }
            #expect(error?.code == .resourceExhausted)
            #expect(
                error?.message.hasPrefix("grpc: received message larger than max (") == true)
            #expect(replica.bodies.isEmpty)
        }
    }

    @Test func failuresKeepCodeAndMessage() async throws {
        try await withServer { _ in
            .failure(RequestFailure(code: 11, message: "etcdserver: mvcc: 100% gone"))
        } _: { client, _, _ in
            await #expect(
                throws: ClientError(code: .outOfRange, message: "etcdserver: mvcc: 100% gone")
            ) { try await client.compact(EtcdCompactionRequest()) }
        }
    }

    @Test func statusAndMemberListNameTheMember() async throws {
        try await withServer { body in
            switch body {
            case .status:
                var status = ReplicaStatus()
                status.revision = 3
                status.round = 4
                status.leader = 8
                status.chosenThrough = 100
                status.appliedThrough = 99
                status.proposers.isProposing = true
                status.proposers.slotsAllowed = 1
                status.proposers.entriesProposed = 2
                status.proposers.batchesForwarded = 3
                status.proposers.commandsDelayed = 4
                status.proposers.slotsLost = 5
                status.proposers.switches = 6
                status.proposers.slotsGranted = 7
                status.proposers.slotsAbandoned = 8
                status.proposers.activeProposers = 9
                return .status(status)
            case .members(let scope):
                #expect(scope == .everything)
                var status = ReplicaStatus()
                status.round = 4
                let profile = MemberProfile(member: 7, clientURLs: ["http://a:2379"])
                return .members(status, [profile])
            default: return nil
            }
        } _: { client, _, endpoint in
            let status = try await client.status(endpoint: endpoint)
            #expect(status.version.hasPrefix("3.6."))
            #expect(status.storageVersion == "3.6.0")
            #expect(status.header.clusterID == 5)
            #expect(status.header.memberID == 7)
            #expect(status.header.revision == 3)
            #expect(status.raftTerm == 4)
            #expect(status.leader == 8)
            #expect(status.raftIndex == 100)
            #expect(status.raftAppliedIndex == 99)
            #expect(status.hasDowngradeInfo)
            let proposers = status.proposers
            #expect(proposers.isProposing)
            #expect(
                [
                    proposers.slotsAllowed, proposers.entriesProposed, proposers.batchesForwarded,
                    proposers.commandsDelayed, proposers.slotsLost, proposers.switches,
                    proposers.slotsGranted, proposers.slotsAbandoned, proposers.activeProposers,
                ] == Array(1...9))
            let list = try await client.memberList()
            #expect(list.header.revision == 0)
            #expect(list.header.raftTerm == 4)
            #expect(list.members.map(\.id) == [7, 8])
            #expect(list.members[0].clientUrls == ["http://a:2379"])
        }
    }

    @Test func alarmsAreListedAndRaised() async throws {
        try await withServer { _ in
            Self.encoded(
                EtcdAlarmResponse.with { response in
                    response.alarms = [
                        .with {
                            $0.memberID = 7; $0.alarm = .nospace
                        },
                        .with {
                            $0.memberID = 8; $0.alarm = .corrupt
                        },
                    ]
                })
        } _: { client, replica, _ in
            let all = try await client.alarms()
            #expect(all.alarms.count == 2)
            let request = EtcdAlarmRequest.with { $0.alarm = .corrupt }
            let corrupt: EtcdAlarmResponse = try await client.unary(
                "/etcdserverpb.Maintenance/Alarm", request)
            #expect(corrupt.alarms.map(\.memberID) == [8])
            let raise = EtcdAlarmRequest.with {
                $0.action = .activate; $0.alarm = .nospace
            }
            let _: EtcdAlarmResponse = try await client.unary(
                "/etcdserverpb.Maintenance/Alarm", raise)
            guard case .write(_, .everything, _, _) = replica.bodies[2] else {
                Issue.record("raising an alarm is a write that touches everything")
                return
            }
        }
    }

    @Test func healthNeedsNoReplica() async throws {
        try await withServer { _ in
            nil
        } _: { client, _, endpoint in
            let health = try await client.health(endpoint: endpoint)
            #expect(health.status == .serving)
            let unknown = GRPCHealthCheckRequest.with { $0.service = "nobody" }
            await #expect(throws: ClientError(code: .notFound, message: "unknown service")) {
                let _: GRPCHealthCheckResponse = try await client.unary(
                    "/grpc.health.v1.Health/Check", unknown)
            }
        }
    }

    @Test(arguments: [
        "/etcdserverpb.KV/RangeStream", "/etcdserverpb.Lease/LeaseGrant",
        "/etcdserverpb.Watch/Watch", "/etcdserverpb.Maintenance/Defragment", "/v3lockpb.Lock/Lock",
    ])
    func whatIsNotServedIsUnimplemented(path: String) async throws {
        try await withServer { _ in
            nil
        } _: { client, _, _ in
            let error = await #expect(throws: ClientError.self) {
                let _: EtcdStatusResponse = try await client.unary(path, EtcdStatusRequest())
            }
            #expect(error?.code == .unimplemented)
        }
    }

    @Test func anAnswerThatComesTooLateIsDropped() async throws {
        try await withServer { body in
            if case .hash = body { return Self.encoded(EtcdHashResponse.with { $0.hash = 9 }) }
            return nil
        } _: { client, replica, endpoint in
            await #expect(
                throws: ClientError(
                    code: .deadlineExceeded, message: "context deadline exceeded")
            ) {
                let _: EtcdStatusResponse = try await client.unary(
                    "/etcdserverpb.Maintenance/Status", EtcdStatusRequest(), endpoint: endpoint,
                    timeout: .milliseconds(50))
            }
            replica.answerHeld(.status(ReplicaStatus()))
            let hash: EtcdHashResponse = try await client.unary(
                "/etcdserverpb.Maintenance/Hash", EtcdHashRequest())
            #expect(hash.hash == 9)
        }
    }

    @Test func theClientGoesOnToTheNextEndpoint() async throws {
        try await withServer { _ in
            .message([])
        } _: { _, _, endpoint in
            let client = try SynodClient(endpoints: ["127.0.0.1:1", "http://\(endpoint)"])
            _ = try await client.put(.with { $0.key = Data("k".utf8) })
            _ = try await client.put(.with { $0.key = Data("k".utf8) })
            await client.close()
            await #expect(
                throws: ClientError(
                    code: .cancelled, message: "the client is closed", mayHaveRun: false)
            ) {
                try await client.put(.with { $0.key = Data("k".utf8) })
            }
        }
    }

    @Test func aBindThatFailsNamesItsAddress() async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let taken = try await ServerBootstrap(group: group).bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(taken.localAddress?.port)
        let replica = ScriptedReplica { _ in nil }
        let server = APIServer(
            configuration: APIConfiguration(
                listen: [.init(host: "127.0.0.1", port: port)], clusterID: 5, memberID: 7,
                members: []),
            sink: replica, group: group)
        let failure = await #expect(throws: APIServer.Failure.self) { try await server.start() }
        #expect(failure?.address == "127.0.0.1:\(port)")
        try await taken.close()
    }

    @Test(arguments: ["", "host", "host:", "host:0", "host:65536", ":1", "https://host:1", "a/b:1"])
    func malformedEndpointsAreRefused(endpoint: String) {
        #expect(throws: ClientError.self) { try SynodClient(endpoints: [endpoint]) }
    }
}
