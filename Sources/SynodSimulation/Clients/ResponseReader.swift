import SynodBytes
import SynodCheck

/// Reads the answers that the node has encoded, as far as a history needs them.
enum ResponseReader {
    static func response(_ bytes: Bytes, to request: Request) throws(MalformedBytes) -> Response {
        var revision: Int64 = 0
        for field in try fields(bytes[...]) where field.number == 1 {
            for inner in try fields(field.bytes) where inner.number == 3 {
                revision = Int64(bitPattern: inner.varint)
            }
        }
        return Response(revision: revision, body: try body(bytes[...], to: request))
    }

    /// A field of a message: one of the two holds its value.
    private struct Field {
        let number: UInt64
        var varint: UInt64 = 0
        var bytes: ArraySlice<UInt8> = []
    }

    private static func fields(_ message: ArraySlice<UInt8>) throws(MalformedBytes) -> [Field] {
        var reader = ByteReader(message)
        var fields: [Field] = []
        while !reader.isAtEnd {
            let tag = try reader.readVarint()
            switch tag & 7 {
            case 0: fields.append(Field(number: tag >> 3, varint: try reader.readVarint()))
            case 2: fields.append(Field(number: tag >> 3, bytes: try reader.readPrefixed()))
            default: throw MalformedBytes("an answer with a field of wire type \(tag & 7)")
            }
        }
        return fields
    }

    private static func body(_ message: ArraySlice<UInt8>, to request: Request)
        throws(MalformedBytes) -> Body
    {
        let fields = try fields(message)
        switch request {
        case .put:
            return .put(previous: try fields.first { $0.number == 2 }.map(keyValue))
        case .delete:
            let count = fields.first { $0.number == 2 }?.varint ?? 0
            return .delete(
                count: Int64(count),
                previous: try fields.filter { $0.number == 3 }.map(keyValue))
        case .range:
            let count = fields.first { $0.number == 4 }?.varint ?? 0
            return .range(
                try fields.filter { $0.number == 2 }.map(keyValue), count: Int64(count))
        case .txn(_, let success, let failure):
            let succeeded = fields.contains { $0.number == 2 && $0.varint != 0 }
            let branch = succeeded ? success : failure
            let parts = fields.filter { $0.number == 3 }
            guard parts.count == branch.count else {
                throw MalformedBytes("a transaction with \(parts.count) answers")
            }
            var bodies: [Body] = []
            for (part, request) in zip(parts, branch) {
                guard let inner = try Self.fields(part.bytes).first else {
                    throw MalformedBytes("an empty answer in a transaction's")
                }
                bodies.append(try body(inner.bytes, to: request))
            }
            return .txn(succeeded: succeeded, bodies)
        }
    }

    private static func keyValue(_ field: Field) throws(MalformedBytes) -> KeyValue {
        var pair = KeyValue(key: [], value: [], createRevision: 0, modRevision: 0, version: 0)
        for part in try fields(field.bytes) {
            switch part.number {
            case 1: pair.key = Bytes(part.bytes)
            case 2: pair.createRevision = Int64(bitPattern: part.varint)
            case 3: pair.modRevision = Int64(bitPattern: part.varint)
            case 4: pair.version = Int64(bitPattern: part.varint)
            case 5: pair.value = Bytes(part.bytes)
            default: break
            }
        }
        return pair
    }
}
