import EtcdWire
import NIOCore
import SwiftProtobuf
import SynodBytes
import SynodGRPC
import SynodKeyspace
import SynodNode

import enum SynodPaxos.Footprint
import enum SynodPaxos.ReadScope

/// Looks at each request before the replica does: refuses what is wrong whatever the state is, and
/// turns the rest into what the replica understands.
struct RequestDoor: Sendable {
    enum Verdict {
        case submit(ClientRequest.Body, ResponseKind)
        /// Needs no replica.
        case answer(Bytes)
        case refuse(Status)
    }

    let maxRequestBytes: Int
    let maxTxnOps: Int

    func admit(_ message: ByteBuffer, method: APIMethod) -> Verdict {
        do throws(KeyspaceError) {
            switch method {
            case .range: return .submit(try range(message), .asAnswered)
            case .put: return .submit(try write(.put, message), .asAnswered)
            case .deleteRange: return .submit(try write(.deleteRange, message), .asAnswered)
            case .txn: return .submit(try write(.txn, message), .asAnswered)
            case .compact: return .submit(try write(.compaction, message), .asAnswered)
            case .alarm: return try alarm(message)
            case .status: return .submit(.status, .status)
            case .hash: return .submit(.hash, .asAnswered)
            case .hashKV:
                let request = try decode(EtcdHashKVRequest.self, message)
                return .submit(.hashKV(revision: request.revision), .asAnswered)
            case .memberList:
                let request = try decode(EtcdMemberListRequest.self, message)
                return .submit(.members(request.linearizable ? .everything : nil), .memberList)
            case .healthCheck: return health(try decode(GRPCHealthCheckRequest.self, message))
            }
        } catch {
            return .refuse(Status(StatusCode(rawValue: error.code), error.message))
        }
    }

    private func range(_ message: ByteBuffer) throws(KeyspaceError) -> ClientRequest.Body {
        let bytes = Bytes(message.readableBytesView)
        let request: RangeRequest
        do throws(MalformedBytes) {
            request = try RangeRequest(bytes[...])
        } catch {
            throw .malformed(error.reason)
        }
        try request.check()
        return .range(request: bytes, request.isSerializable ? nil : ReadScope(request))
    }

    /// A command, or a transaction that turns out to change nothing.
    private func write(_ tag: Command.Tag, _ message: ByteBuffer) throws(KeyspaceError)
        -> ClientRequest.Body
    {
        let bytes = Command.encode(tag, message.readableBytesView)
        let command = try Command(bytes[...])
        try command.check(maxOperations: maxTxnOps)
        if case .txn(let request) = command, request.isReadOnly {
            return .readTransaction(
                request: Bytes(bytes.dropFirst()),
                request.isSerializable ? nil : ReadScope(request))
        }
        guard bytes.count <= maxRequestBytes else { throw .requestTooLarge }
        return .write(
            command: bytes, footprint: Footprint(command), isCertain: command.isCertain,
            spaceCost: command.spaceCost)
    }

    private func alarm(_ message: ByteBuffer) throws(KeyspaceError) -> Verdict {
        let request = try decode(EtcdAlarmRequest.self, message)
        guard request.action == .get else {
            return .submit(try write(.alarm, message), .asAnswered)
        }
        return .submit(.alarms, request.alarm == .none ? .asAnswered : .alarms(request.alarm))
    }

    private func health(_ request: GRPCHealthCheckRequest) -> Verdict {
        guard request.service.isEmpty else { return .refuse(Status(.notFound, "unknown service")) }
        var response = GRPCHealthCheckResponse()
        response.status = .serving
        return .answer(response.encoded)
    }

    private func decode<Request: SwiftProtobuf.Message>(_: Request.Type, _ message: ByteBuffer)
        throws(KeyspaceError) -> Request
    {
        do {
            return try Request(serializedBytes: Bytes(message.readableBytesView))
        } catch {
            throw .malformed("\(error)")
        }
    }
}

extension SwiftProtobuf.Message {
    /// A message of ours in protobuf. Only proto2's required fields could make this fail.
    var encoded: Bytes {
        do {
            return try serializedBytes()
        } catch {
            preconditionFailure("A proto3 message can always be encoded: \(error)")
        }
    }
}

extension KeyspaceError {
    fileprivate static let requestTooLarge = KeyspaceError(
        code: StatusCode.invalidArgument.rawValue, message: "etcdserver: request is too large")
}
