public import EtcdWire
import SwiftProtobuf

/// The calls of etcd's API, one method for each. All throw what the server answered, or
/// Unavailable when no endpoint could be reached, or DeadlineExceeded after the call's timeout.
extension SynodClient {
    public func range(_ request: EtcdRangeRequest) async throws(ClientError) -> EtcdRangeResponse {
        try await unary("/etcdserverpb.KV/Range", request, retry: .always)
    }

    public func put(_ request: EtcdPutRequest) async throws(ClientError) -> EtcdPutResponse {
        try await unary("/etcdserverpb.KV/Put", request)
    }

    public func deleteRange(_ request: EtcdDeleteRangeRequest) async throws(ClientError)
        -> EtcdDeleteRangeResponse
    {
        try await unary("/etcdserverpb.KV/DeleteRange", request)
    }

    public func txn(_ request: EtcdTxnRequest) async throws(ClientError) -> EtcdTxnResponse {
        try await unary("/etcdserverpb.KV/Txn", request)
    }

    /// Forgets the history before `revision`.
    public func compact(_ request: EtcdCompactionRequest) async throws(ClientError)
        -> EtcdCompactionResponse
    {
        try await unary("/etcdserverpb.KV/Compact", request)
    }

    /// How one member is: `endpoint` must be one of ``endpoints``.
    public func status(endpoint: String) async throws(ClientError) -> EtcdStatusResponse {
        try await unary(
            "/etcdserverpb.Maintenance/Status", EtcdStatusRequest(), endpoint: endpoint)
    }

    /// A checksum of the keys of one member at a revision (zero for its current one).
    public func hashKV(endpoint: String, revision: Int64 = 0) async throws(ClientError)
        -> EtcdHashKVResponse
    {
        var request = EtcdHashKVRequest()
        request.revision = revision
        return try await unary("/etcdserverpb.Maintenance/HashKV", request, endpoint: endpoint)
    }

    /// The members, confirmed by a majority.
    public func memberList() async throws(ClientError) -> EtcdMemberListResponse {
        var request = EtcdMemberListRequest()
        request.linearizable = true
        return try await unary("/etcdserverpb.Cluster/MemberList", request, retry: .always)
    }

    /// The alarms raised anywhere in the cluster.
    public func alarms() async throws(ClientError) -> EtcdAlarmResponse {
        try await unary("/etcdserverpb.Maintenance/Alarm", EtcdAlarmRequest(), retry: .always)
    }

    /// Whether one member serves, by gRPC's health protocol.
    public func health(endpoint: String) async throws(ClientError) -> GRPCHealthCheckResponse {
        try await unary(
            "/grpc.health.v1.Health/Check", GRPCHealthCheckRequest(), endpoint: endpoint)
    }
}
