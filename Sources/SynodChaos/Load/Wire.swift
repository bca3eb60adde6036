import EtcdWire
import Foundation
import SynodBytes
import SynodCheck

// Between the requests and answers of a history and etcd's messages.

extension EtcdPutRequest {
    init(_ key: Bytes, _ value: Bytes, wantsPrevious: Bool) {
        self.init()
        self.key = Data(key)
        self.value = Data(value)
        prevKv = wantsPrevious
    }
}

extension EtcdDeleteRangeRequest {
    init(_ range: KeyRange, wantsPrevious: Bool) {
        self.init()
        key = Data(range.lower)
        rangeEnd = Data(range.upper ?? [])
        prevKv = wantsPrevious
    }
}

extension EtcdRangeRequest {
    init(_ range: KeyRange, isSerializable: Bool) {
        self.init()
        key = Data(range.lower)
        rangeEnd = Data(range.upper ?? [])
        serializable = isSerializable
    }
}

extension EtcdTxnRequest {
    init(_ compares: [Compare], _ success: [Request], _ failure: [Request]) {
        self.init()
        compare = compares.map { EtcdCompare($0) }
        self.success = success.map { EtcdRequestOp($0) }
        self.failure = failure.map { EtcdRequestOp($0) }
    }
}

extension EtcdRequestOp {
    fileprivate init(_ request: Request) {
        self.init()
        switch request {
        case .put(let key, let value, let wantsPrevious):
            requestPut = EtcdPutRequest(key, value, wantsPrevious: wantsPrevious)
        case .delete(let range, let wantsPrevious):
            requestDeleteRange = EtcdDeleteRangeRequest(range, wantsPrevious: wantsPrevious)
        case .range(let range, let isSerializable):
            requestRange = EtcdRangeRequest(range, isSerializable: isSerializable)
        case .txn(let compares, let success, let failure):
            requestTxn = EtcdTxnRequest(compares, success, failure)
        }
    }
}

extension EtcdCompare {
    fileprivate init(_ compare: Compare) {
        self.init()
        key = Data(compare.key)
        switch compare {
        case .value(_, let relation, let operand):
            (target, result, value) = (.value, CompareResult(relation), Data(operand))
        case .version(_, let relation, let operand):
            (target, result, version) = (.version, CompareResult(relation), operand)
        case .createRevision(_, let relation, let operand):
            (target, result, createRevision) = (.create, CompareResult(relation), operand)
        case .modRevision(_, let relation, let operand):
            (target, result, modRevision) = (.mod, CompareResult(relation), operand)
        }
    }
}

extension EtcdCompare.CompareResult {
    fileprivate init(_ relation: Compare.Relation) {
        self =
            switch relation {
            case .equal: .equal
            case .greater: .greater
            case .less: .less
            case .notEqual: .notEqual
            }
    }
}

extension KeyValue {
    init(_ kv: EtcdKeyValue) {
        self.init(
            key: Bytes(kv.key), value: Bytes(kv.value), createRevision: kv.createRevision,
            modRevision: kv.modRevision, version: kv.version)
    }
}

extension Body {
    init(_ response: EtcdPutResponse) {
        self = .put(previous: response.hasPrevKv ? KeyValue(response.prevKv) : nil)
    }

    init(_ response: EtcdDeleteRangeResponse) {
        self = .delete(count: response.deleted, previous: response.prevKvs.map { KeyValue($0) })
    }

    init(_ response: EtcdRangeResponse) {
        self = .range(response.kvs.map { KeyValue($0) }, count: response.count)
    }

    init(_ response: EtcdTxnResponse) {
        self = .txn(succeeded: response.succeeded, response.responses.compactMap { Body($0) })
    }

    /// Nil for an answer without content, which then does not fit its request.
    private init?(_ response: EtcdResponseOp) {
        switch response.response {
        case .responseRange(let range): self.init(range)
        case .responsePut(let put): self.init(put)
        case .responseDeleteRange(let delete): self.init(delete)
        case .responseTxn(let txn): self.init(txn)
        case nil: return nil
        }
    }
}
