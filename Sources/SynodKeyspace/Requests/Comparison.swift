package import SynodBytes
import SynodStorage

/// etcd's Compare: a condition on a key or on every key of a range.
package struct Comparison: Sendable {
    package enum Result: Int32, Sendable {
        case equal, greater, less, notEqual
    }

    package enum Target: Int32, Sendable {
        case version, createRevision, modRevision, value, lease
    }

    /// What the target is compared with; the wire can hold another kind than the target's, which
    /// then counts as zero or empty.
    package enum Operand: Sendable {
        case none
        case integer(Target, Int64)
        case value(ArraySlice<UInt8>)
    }

    /// Nil: a number that means nothing; such a comparison always holds.
    package var result: Result? = .equal
    /// Nil: a number that means nothing; such a target equals anything.
    package var target: Target? = .version
    package var key: ArraySlice<UInt8> = []
    /// As in ``RangeRequest/rangeEnd``.
    package var rangeEnd: ArraySlice<UInt8> = []
    package var operand = Operand.none

    package init() {}

    package init(_ message: ArraySlice<UInt8>) throws(MalformedBytes) {
        var reader = ProtobufReader(message)
        while try reader.next() {
            switch reader.number {
            case 1: result = Result(rawValue: try reader.int32())
            case 2: target = Target(rawValue: try reader.int32())
            case 3: key = try reader.bytes()
            case 4: operand = .integer(.version, try reader.int64())
            case 5: operand = .integer(.createRevision, try reader.int64())
            case 6: operand = .integer(.modRevision, try reader.int64())
            case 7: operand = .value(try reader.bytes())
            case 8: operand = .integer(.lease, try reader.int64())
            case 64: rangeEnd = try reader.bytes()
            default: break
            }
        }
    }

    var range: KeyRange { KeyRange(key: key, rangeEnd: rangeEnd) }

    /// Whether the comparison holds for a key with these figures, all zero for a missing key.
    /// `value` is asked only when the target is the value.
    func holds(
        createRevision: Int64, modRevision: Int64, version: Int64, lease: Int64,
        value: () throws(StorageError) -> ArraySlice<UInt8>
    ) throws(StorageError) -> Bool {
        switch target {
        case .version: holds(order: Self.order(version, integer(.version)))
        case .createRevision: holds(order: Self.order(createRevision, integer(.createRevision)))
        case .modRevision: holds(order: Self.order(modRevision, integer(.modRevision)))
        case .lease: holds(order: Self.order(lease, integer(.lease)))
        case .value:
            if case .value(let expected) = operand {
                holds(order: byteOrder(try value(), expected))
            } else {
                holds(order: byteOrder(try value(), []))
            }
        case nil: holds(order: 0)
        }
    }

    private func integer(_ target: Target) -> Int64 {
        if case .integer(target, let expected) = operand { expected } else { 0 }
    }

    private func holds(order: Int) -> Bool {
        switch result {
        case .equal: order == 0
        case .greater: order > 0
        case .less: order < 0
        case .notEqual: order != 0
        case nil: true
        }
    }

    private static func order(_ left: Int64, _ right: Int64) -> Int {
        left < right ? -1 : (left == right ? 0 : 1)
    }
}
