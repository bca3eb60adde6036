import EtcdWire
import Foundation
import SwiftProtobuf
import SynodClient

/// What a server answered, reduced to what two servers of one history must agree on.
enum ComparableAnswer: Equatable, CustomStringConvertible {
    case response(String, revision: Int64)
    case failure(ClientError.Code, String)

    /// Sends one request and keeps what is comparable of the answer.
    init(of request: KeyspaceRequest, from client: SynodClient) async {
        do throws(ClientError) {
            switch request {
            case .range(let request):
                self.init(try await client.range(request).comparable(to: request))
            case .put(let request):
                self.init(try await client.put(request).comparable)
            case .delete(let request):
                self.init(try await client.deleteRange(request).comparable)
            case .txn(let request):
                self.init(try await client.txn(request).comparable(to: request))
            case .compact(let request):
                self.init(try await client.compact(request).comparable)
            case .hash(let revision):
                self.init(
                    try await client.hashKV(endpoint: client.endpoints[0], revision: revision)
                        .comparable)
            }
        } catch {
            self = .failure(error.code, error.message)
        }
    }

    private init(_ message: some Message & WithHeader) {
        self = .response(message.textFormatString(), revision: message.header.revision)
    }

    var description: String {
        switch self {
        case .response(let text, _): text
        case .failure(let code, let message): "\(code): \(message)"
        }
    }
}

private protocol WithHeader {
    var header: EtcdResponseHeader { get set }
}

extension WithHeader {
    /// Without the identities of the answering server and its cluster.
    fileprivate var comparable: Self {
        var copy = self
        copy.header = .with { $0.revision = header.revision }
        return copy
    }
}

extension EtcdRangeResponse: WithHeader {
    /// Keys that are equal in what they are sorted by come in any order, so they are put in key
    /// order here; where a limit has chosen among equals, only what they are sorted by counts.
    fileprivate func comparable(to request: EtcdRangeRequest) -> Self {
        var response = comparable
        guard request.sortTarget != .key else { return response }
        if response.more {
            response.kvs = response.kvs.map { kv in
                .with {
                    switch request.sortTarget {
                    case .version: $0.version = kv.version
                    case .create: $0.createRevision = kv.createRevision
                    case .mod: $0.modRevision = kv.modRevision
                    case .value: $0.value = kv.value
                    case .key, .UNRECOGNIZED: break
                    }
                }
            }
        } else {
            let isDescending = request.sortOrder == .descend
            response.kvs.sort { left, right in
                let (first, second) = isDescending ? (right, left) : (left, right)
                switch request.sortTarget {
                case .version where left.version != right.version:
                    return first.version < second.version
                case .create where left.createRevision != right.createRevision:
                    return first.createRevision < second.createRevision
                case .mod where left.modRevision != right.modRevision:
                    return first.modRevision < second.modRevision
                case .value where left.value != right.value:
                    return first.value.lexicographicallyPrecedes(second.value)
                default:
                    return left.key.lexicographicallyPrecedes(right.key)
                }
            }
        }
        return response
    }
}

extension EtcdPutResponse: WithHeader {}
extension EtcdDeleteRangeResponse: WithHeader {}
extension EtcdCompactionResponse: WithHeader {}

extension EtcdHashKVResponse: WithHeader {
    /// Without the revision of the hash, which etcd 3.4 does not tell.
    fileprivate var comparable: Self {
        var copy = self
        copy.header = .with { $0.revision = header.revision }
        copy.hashRevision = 0
        return copy
    }
}

extension EtcdTxnResponse: WithHeader {
    fileprivate func comparable(to request: EtcdTxnRequest) -> Self {
        var response = comparable
        let operations = succeeded ? request.success : request.failure
        guard operations.count == responses.count else { return response }
        response.responses = zip(operations, responses).map { operation, response in
            var response = response
            switch (operation.request, response.response) {
            case (.requestRange(let request)?, .responseRange(let answer)?):
                response.responseRange = answer.comparable(to: request)
            case (.requestTxn(let request)?, .responseTxn(let answer)?):
                response.responseTxn = answer.comparable(to: request)
            case (_, .responsePut(let answer)?):
                response.responsePut = answer.comparable
            case (_, .responseDeleteRange(let answer)?):
                response.responseDeleteRange = answer.comparable
            default:
                break
            }
            return response
        }
        return response
    }
}
