package import SynodBytes

/// etcd's RangeRequest.
package struct RangeRequest: Sendable {
    package enum SortOrder: Int32, Sendable {
        case unsorted, ascending, descending
    }

    package enum SortTarget: Int32, Sendable {
        case key, version, createRevision, modRevision, value
    }

    package var key: ArraySlice<UInt8> = []
    /// Empty: one key. A single zero byte: no upper end. Otherwise exclusive.
    package var rangeEnd: ArraySlice<UInt8> = []
    /// Zero or less: no limit.
    package var limit: Int64 = 0
    /// Zero or less: the latest.
    package var revision: Int64 = 0
    /// Nil: a number that means nothing.
    package var sortOrder: SortOrder? = .unsorted
    /// Nil: a number that means nothing.
    package var sortTarget: SortTarget? = .key
    package var isSerializable = false
    package var keysOnly = false
    package var countOnly = false
    package var minModRevision: Int64 = 0
    package var maxModRevision: Int64 = 0
    package var minCreateRevision: Int64 = 0
    package var maxCreateRevision: Int64 = 0

    package init() {}

    package init(_ message: ArraySlice<UInt8>) throws(MalformedBytes) {
        var reader = ProtobufReader(message)
        while try reader.next() {
            switch reader.number {
            case 1: key = try reader.bytes()
            case 2: rangeEnd = try reader.bytes()
            case 3: limit = try reader.int64()
            case 4: revision = try reader.int64()
            case 5: sortOrder = SortOrder(rawValue: try reader.int32())
            case 6: sortTarget = SortTarget(rawValue: try reader.int32())
            case 7: isSerializable = try reader.bool()
            case 8: keysOnly = try reader.bool()
            case 9: countOnly = try reader.bool()
            case 10: minModRevision = try reader.int64()
            case 11: maxModRevision = try reader.int64()
            case 12: minCreateRevision = try reader.int64()
            case 13: maxCreateRevision = try reader.int64()
            default: break
            }
        }
    }

    package var range: KeyRange { KeyRange(key: key, rangeEnd: rangeEnd) }

    /// Whether any bound on revisions is set.
    var hasFilters: Bool {
        minModRevision != 0 || maxModRevision != 0
            || minCreateRevision != 0 || maxCreateRevision != 0
    }

    /// What can be refused without looking at any state.
    package func check() throws(KeyspaceError) {
        if key.isEmpty { throw .emptyKey }
        if sortOrder == nil || sortTarget == nil { throw .invalidSortOption }
    }
}
