import SynodBytes
import SynodKeyspace

/// Protobuf written the plain way: an independent twin of the module's own writer.
struct Wire {
    var bytes: Bytes = []

    static func varint(_ value: UInt64) -> Bytes {
        value < 128 ? [UInt8(value)] : [UInt8(value % 128) + 128] + varint(value / 128)
    }

    func int(_ number: UInt64, _ value: Int64) -> Wire {
        value == 0
            ? self
            : Wire(
                bytes: bytes + Self.varint(number * 8) + Self.varint(UInt64(bitPattern: value)))
    }

    func flag(_ number: UInt64, _ value: Bool) -> Wire {
        int(number, value ? 1 : 0)
    }

    func text(_ number: UInt64, _ value: some Collection<UInt8>) -> Wire {
        value.isEmpty ? self : message(number, Wire(bytes: Bytes(value)))
    }

    func message(_ number: UInt64, _ value: Wire) -> Wire {
        Wire(
            bytes: bytes + Self.varint(number * 8 + 2) + Self.varint(UInt64(value.bytes.count))
                + value.bytes)
    }

    func messages(_ number: UInt64, _ values: [Wire]) -> Wire {
        values.reduce(self) { $0.message(number, $1) }
    }
}

func text(_ string: String) -> ArraySlice<UInt8> {
    Bytes(string.utf8)[...]
}

extension RangeRequest {
    init(_ key: String, _ end: String = "", revision: Int64 = 0) {
        self.init()
        self.key = text(key)
        rangeEnd = text(end)
        self.revision = revision
    }

    /// Whether changes beyond the prefix are seen.
    var isLatestOfOneKey: Bool { rangeEnd.isEmpty && revision <= 0 }

    var wire: Wire {
        Wire().text(1, key).text(2, rangeEnd).int(3, limit).int(4, revision)
            .int(5, Int64(sortOrder?.rawValue ?? 77)).int(6, Int64(sortTarget?.rawValue ?? -3))
            .flag(7, isSerializable).flag(8, keysOnly).flag(9, countOnly)
            .int(10, minModRevision).int(11, maxModRevision)
            .int(12, minCreateRevision).int(13, maxCreateRevision)
    }
}

extension PutRequest {
    init(_ key: String, _ value: String) {
        self.init()
        self.key = text(key)
        self.value = text(value)
    }

    var wire: Wire {
        Wire().text(1, key).text(2, value).int(3, lease).flag(4, wantsPrevious)
            .flag(5, ignoreValue).flag(6, ignoreLease)
    }
}

extension DeleteRangeRequest {
    init(_ key: String, _ end: String = "") {
        self.init()
        self.key = text(key)
        rangeEnd = text(end)
    }

    var wire: Wire { Wire().text(1, key).text(2, rangeEnd).flag(3, wantsPrevious) }
}

extension Comparison {
    var wire: Wire {
        let start = Wire().int(1, Int64(result?.rawValue ?? 9)).int(2, Int64(target?.rawValue ?? 9))
            .text(3, key)
        let compared: Wire =
            switch operand {
            case .none: start
            case .integer(.version, let value): start.int(4, value)
            case .integer(.createRevision, let value): start.int(5, value)
            case .integer(.modRevision, let value): start.int(6, value)
            case .integer(_, let value): start.int(8, value)
            case .value(let value): start.message(7, Wire(bytes: Bytes(value)))
            }
        return compared.text(64, rangeEnd)
    }
}

extension TxnRequest.Operation {
    var wire: Wire {
        switch self {
        case .range(let request): Wire().message(1, request.wire)
        case .put(let request): Wire().message(2, request.wire)
        case .deleteRange(let request): Wire().message(3, request.wire)
        case .txn(let request): Wire().message(4, request.wire)
        case .empty: Wire()
        }
    }
}

extension TxnRequest {
    init(_ success: [Operation], else failure: [Operation] = [], if comparisons: [Comparison] = [])
    {
        self.init()
        self.comparisons = comparisons
        self.success = success
        self.failure = failure
    }

    var wire: Wire {
        Wire().messages(1, comparisons.map(\.wire)).messages(2, success.map(\.wire))
            .messages(3, failure.map(\.wire))
    }
}

extension Command {
    /// The encoded command.
    var bytes: Bytes {
        switch self {
        case .put(let request): Self.encode(.put, request.wire.bytes)
        case .deleteRange(let request): Self.encode(.deleteRange, request.wire.bytes)
        case .txn(let request): Self.encode(.txn, request.wire.bytes)
        case .compaction(let request):
            Self.encode(
                .compaction,
                Wire().int(1, request.revision).flag(2, request.isPhysical).bytes)
        case .alarm(let request):
            Self.encode(
                .alarm,
                Wire().int(1, Int64(request.action?.rawValue ?? 9))
                    .int(2, Int64(bitPattern: request.memberID))
                    .int(3, Int64(request.kind?.rawValue ?? 0)).bytes)
        }
    }

    static func compact(_ revision: Int64) -> Command {
        var request = CompactionRequest()
        request.revision = revision
        return .compaction(request)
    }
}
