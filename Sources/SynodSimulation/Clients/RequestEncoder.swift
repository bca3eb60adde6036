import SynodBytes
import SynodCheck
import SynodKeyspace
import SynodNode
import SynodPaxos

/// Requests in protobuf, and what the door makes of them.
enum RequestEncoder {
    /// No request of etcd's has a field of this number.
    private static let callField: UInt64 = 1000

    /// What the door hands to the node; nil if it refuses the request itself. A write carries the
    /// number of its call in a field that nobody knows, so that it can be told from its like in
    /// the log.
    static func body(of request: Request, call: UInt64) -> ClientRequest.Body? {
        switch request {
        case .range(_, let isSerializable):
            let bytes = message(request)
            guard let range = try? RangeRequest(bytes[...]) else { return nil }
            return .range(request: bytes, isSerializable ? nil : ReadScope(range))
        case .put: return write(.put, request, call)
        case .delete: return write(.deleteRange, request, call)
        case .txn:
            let bytes = message(request)
            if let txn = try? TxnRequest(bytes[...]), txn.isReadOnly {
                return .readTransaction(
                    request: bytes, txn.isSerializable ? nil : ReadScope(txn))
            }
            return write(.txn, request, call)
        }
    }

    /// A compaction, which no history speaks of.
    static func compaction(of revision: Int64, isPhysical: Bool) -> ClientRequest.Body {
        var writer = ByteWriter()
        writer.varint(1, UInt64(bitPattern: revision))
        writer.varint(2, isPhysical ? 1 : 0)
        return .write(
            command: SynodKeyspace.Command.encode(.compaction, writer.bytes),
            footprint: .everything, isCertain: false, spaceCost: 0)
    }

    private static func write(
        _ tag: SynodKeyspace.Command.Tag, _ request: Request, _ call: UInt64
    ) -> ClientRequest.Body? {
        var writer = ByteWriter()
        writer.writeRaw(message(request))
        writer.varint(callField, call + 1)
        let bytes = SynodKeyspace.Command.encode(tag, writer.bytes)
        guard let command = try? SynodKeyspace.Command(bytes[...]),
            (try? command.check()) != nil
        else { return nil }
        return .write(
            command: bytes, footprint: Footprint(command), isCertain: command.isCertain,
            spaceCost: command.spaceCost)
    }

    private static func message(_ request: Request) -> Bytes {
        var writer = ByteWriter()
        switch request {
        case .put(let key, let value, let wantsPrevious):
            writer.bytes(1, key)
            writer.bytes(2, value)
            writer.varint(4, wantsPrevious ? 1 : 0)
        case .delete(let range, let wantsPrevious):
            writer.bytes(1, range.lower)
            writer.bytes(2, range.upper ?? [])
            writer.varint(3, wantsPrevious ? 1 : 0)
        case .range(let range, let isSerializable):
            writer.bytes(1, range.lower)
            writer.bytes(2, range.upper ?? [])
            writer.varint(7, isSerializable ? 1 : 0)
        case .txn(let compares, let success, let failure):
            for compare in compares { writer.message(1, message(compare)) }
            for request in success { writer.message(2, operation(request)) }
            for request in failure { writer.message(3, operation(request)) }
        }
        return writer.bytes
    }

    private static func operation(_ request: Request) -> Bytes {
        var writer = ByteWriter()
        let number: UInt64 =
            switch request {
            case .range: 1
            case .put: 2
            case .delete: 3
            case .txn: 4
            }
        writer.message(number, message(request))
        return writer.bytes
    }

    private static func message(_ compare: Compare) -> Bytes {
        var writer = ByteWriter()
        switch compare {
        case .version(let key, let relation, let number):
            writer.compare(key, relation, target: 0)
            writer.varint(4, UInt64(bitPattern: number))
        case .createRevision(let key, let relation, let number):
            writer.compare(key, relation, target: 1)
            writer.varint(5, UInt64(bitPattern: number))
        case .modRevision(let key, let relation, let number):
            writer.compare(key, relation, target: 2)
            writer.varint(6, UInt64(bitPattern: number))
        case .value(let key, let relation, let value):
            writer.compare(key, relation, target: 3)
            writer.message(7, value)
        }
        return writer.bytes
    }
}

extension ByteWriter {
    fileprivate mutating func varint(_ number: UInt64, _ value: UInt64) {
        guard value != 0 else { return }
        writeVarint(number << 3)
        writeVarint(value)
    }

    fileprivate mutating func bytes(_ number: UInt64, _ value: Bytes) {
        if !value.isEmpty { message(number, value) }
    }

    fileprivate mutating func message(_ number: UInt64, _ value: Bytes) {
        writeVarint(number << 3 | 2)
        writePrefixed(value)
    }

    fileprivate mutating func compare(_ key: Bytes, _ relation: Compare.Relation, target: UInt64) {
        let number: UInt64 =
            switch relation {
            case .equal: 0
            case .greater: 1
            case .less: 2
            case .notEqual: 3
            }
        varint(1, number)
        varint(2, target)
        bytes(3, key)
    }
}
