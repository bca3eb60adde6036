import EtcdWire
import Foundation
import SwiftProtobuf
import SynodBytes

/// One request of any kind that touches the keyspace.
enum KeyspaceRequest {
    case range(EtcdRangeRequest)
    case put(EtcdPutRequest)
    case delete(EtcdDeleteRangeRequest)
    case txn(EtcdTxnRequest)
    case compact(EtcdCompactionRequest)
    case hash(revision: Int64)
}

/// An endless sequence of requests, the same for the same seed: few keys, so that they collide;
/// every option; revisions around the interesting ones; and now and then what must be refused.
struct RandomRequests {
    private var chance: PRNG
    /// Where the store is: from the answers so far.
    var revision: Int64 = 1
    var compacted: Int64 = -1
    /// Whether the transaction being made may delete.
    private var txnDeletes = false

    init(seed: UInt64) {
        chance = PRNG(seed: seed)
    }

    mutating func next() -> KeyspaceRequest {
        switch chance.below(1000) {
        case 0..<350: .put(put())
        case 350..<600: .range(range())
        case 600..<700: .delete(delete())
        case 700..<960: .txn(rootTxn())
        case 960..<968: .txn(wideTxn())
        case 968..<970: .put(hugePut())
        case 970..<980: .compact(compaction())
        default: .hash(revision: hashRevision())
        }
    }

    private static let keys: [Data] =
        ["", "a", "b", "ba", "bb", "bc", "c", "d", "dd", "e", "f"].map { Data($0.utf8) }
        + [Data([0]), Data([0x62, 0]), Data([0x62, 0xff]), Data([0xff]), Data([0xff, 0xff])]

    /// An empty key, which is refused, once in a while.
    private mutating func key() -> Data {
        let index = chance.chance(1, in: 60) ? 0 : 1 + chance.below(UInt64(Self.keys.count - 1))
        return Self.keys[Int(index)]
    }

    private mutating func rangeEnd() -> Data {
        switch chance.below(10) {
        case 0..<3: Data()
        case 3..<5: Data([0])
        default: key()
        }
    }

    private mutating func value() -> Data {
        Data("v\(chance.below(20))".utf8)
    }

    private mutating func oneIn(_ count: UInt64) -> Bool { chance.chance(1, in: count) }

    /// Mostly the latest; else one around the compacted, the current or no revision at all.
    private mutating func readRevision() -> Int64 {
        switch chance.below(12) {
        case 0: chance.within(max(1, compacted)...revision)
        case 1: chance.within(-1...max(1, compacted))
        case 2: revision + chance.within(0...2)
        default: 0
        }
    }

    /// Never the compacted revision itself, at which etcd 3.4 refuses and later ones answer.
    private mutating func hashRevision() -> Int64 {
        let revision = readRevision()
        return revision == compacted ? 0 : revision
    }

    private mutating func filter() -> Int64 {
        oneIn(10) ? chance.within(1...revision + 1) : 0
    }

    private mutating func range() -> EtcdRangeRequest {
        .with {
            $0.key = key()
            $0.rangeEnd = rangeEnd()
            $0.limit = oneIn(3) ? chance.within(-1...6) : 0
            $0.revision = readRevision()
            $0.sortOrder = .init(rawValue: Int(chance.below(3))) ?? .none
            $0.sortTarget = oneIn(2) ? .key : .init(rawValue: Int(chance.below(5))) ?? .key
            // Without an order, etcd cuts to the limit before it sorts; here it is cut after.
            if $0.limit > 0 && $0.sortTarget != .key && $0.sortOrder == .none {
                $0.sortOrder = .ascend
            }
            $0.serializable = oneIn(4)
            $0.keysOnly = oneIn(5)
            $0.countOnly = oneIn(8)
            $0.minModRevision = filter()
            $0.maxModRevision = filter()
            $0.minCreateRevision = filter()
            $0.maxCreateRevision = filter()
        }
    }

    private mutating func put() -> EtcdPutRequest {
        .with {
            $0.key = key()
            $0.value = oneIn(10) ? Data() : value()
            $0.prevKv = oneIn(3)
            $0.ignoreValue = oneIn(12)
            if $0.ignoreValue && !oneIn(4) { $0.value = Data() }
            $0.ignoreLease = oneIn(12)
            $0.lease = oneIn(40) ? 12345 : 0
        }
    }

    /// Larger than a request may be, but not larger than a message may be.
    private mutating func hugePut() -> EtcdPutRequest {
        .with {
            $0.key = key()
            $0.value = Data(repeating: 0x78, count: 1_600_000)
        }
    }

    private mutating func delete() -> EtcdDeleteRangeRequest {
        .with {
            $0.key = key()
            $0.rangeEnd = oneIn(3) ? rangeEnd() : Data()
            $0.prevKv = oneIn(2)
        }
    }

    private mutating func compaction() -> EtcdCompactionRequest {
        .with {
            $0.revision =
                oneIn(4)
                ? chance.within(-2...revision + 2)
                : chance.within(max(0, min(compacted + 1, revision))...revision)
            $0.physical = oneIn(2)
        }
    }

    /// A real etcd crashes when a put that takes over the old value finds it deleted by the same
    /// transaction, so that a transaction has either such puts or deletions.
    private mutating func rootTxn() -> EtcdTxnRequest {
        txnDeletes = oneIn(2)
        return txn(depth: 0)
    }

    private mutating func txn(depth: Int) -> EtcdTxnRequest {
        .with { txn in
            txn.compare = (0..<chance.below(4)).map { _ in compare() }
            txn.success = (0..<chance.below(5)).map { _ in operation(depth: depth) }
            txn.failure = (0..<chance.below(5)).map { _ in operation(depth: depth) }
        }
    }

    /// Around the bound on operations, on distinct keys.
    private mutating func wideTxn() -> EtcdTxnRequest {
        let count = 126 + Int(chance.below(5))
        return .with { txn in
            txn.success = (0..<count).map { index in
                .with { $0.requestPut = .with { $0.key = Data("w\(index)".utf8) } }
            }
        }
    }

    private mutating func operation(depth: Int) -> EtcdRequestOp {
        .with {
            switch chance.below(100) {
            case 0..<40:
                $0.requestPut = put()
                if txnDeletes {
                    ($0.requestPut.ignoreValue, $0.requestPut.ignoreLease) = (false, false)
                }
            case 40..<65: $0.requestRange = range()
            case 65..<82 where txnDeletes: $0.requestDeleteRange = delete()
            case 82..<98 where depth < 3: $0.requestTxn = txn(depth: depth + 1)
            case 98: break
            default: $0.requestRange = range()
            }
        }
    }

    private mutating func compare() -> EtcdCompare {
        .with {
            $0.key = key()
            $0.rangeEnd = oneIn(5) ? rangeEnd() : Data()
            $0.result = .init(rawValue: Int(chance.below(4))) ?? .equal
            switch chance.below(10) {
            case 0..<3: ($0.target, $0.version) = (.version, chance.within(0...4))
            case 3..<5: ($0.target, $0.createRevision) = (.create, chance.within(0...revision))
            case 5..<7: ($0.target, $0.modRevision) = (.mod, chance.within(0...revision))
            case 7..<9: ($0.target, $0.value) = (.value, value())
            default: ($0.target, $0.lease) = (.lease, chance.within(0...1))
            }
        }
    }
}
