package import SynodBytes

/// etcd's AlarmRequest.
package struct AlarmRequest: Sendable {
    package enum Action: Int32, Sendable {
        case get, activate, deactivate
    }

    /// Nil: a number that means nothing, which changes and lists nothing.
    package var action: Action? = .get
    package var memberID: UInt64 = 0
    /// Nil: none, which for ``Action/get`` means every kind.
    package var kind: Alarm.Kind?

    package init() {}

    package init(_ message: ArraySlice<UInt8>) throws(MalformedBytes) {
        var reader = ProtobufReader(message)
        while try reader.next() {
            switch reader.number {
            case 1: action = Action(rawValue: try reader.int32())
            case 2: memberID = try reader.uint64()
            case 3: kind = Alarm.Kind(rawValue: try reader.int32())
            default: break
            }
        }
    }
}
