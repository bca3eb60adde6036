package import SynodBytes

/// etcd's DeleteRangeRequest.
package struct DeleteRangeRequest: Sendable {
    package var key: ArraySlice<UInt8> = []
    /// As in ``RangeRequest/rangeEnd``.
    package var rangeEnd: ArraySlice<UInt8> = []
    package var wantsPrevious = false

    package init() {}

    package init(_ message: ArraySlice<UInt8>) throws(MalformedBytes) {
        var reader = ProtobufReader(message)
        while try reader.next() {
            switch reader.number {
            case 1: key = try reader.bytes()
            case 2: rangeEnd = try reader.bytes()
            case 3: wantsPrevious = try reader.bool()
            default: break
            }
        }
    }

    var range: KeyRange { KeyRange(key: key, rangeEnd: rangeEnd) }

    /// What can be refused without looking at any state.
    package func check() throws(KeyspaceError) {
        if key.isEmpty { throw .emptyKey }
    }
}
