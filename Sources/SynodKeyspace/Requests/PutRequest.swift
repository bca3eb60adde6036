package import SynodBytes

/// etcd's PutRequest.
package struct PutRequest: Sendable {
    package var key: ArraySlice<UInt8> = []
    package var value: ArraySlice<UInt8> = []
    /// Zero: none.
    package var lease: Int64 = 0
    package var wantsPrevious = false
    /// Keep the value that the key has.
    package var ignoreValue = false
    /// Keep the lease that the key has.
    package var ignoreLease = false

    package init() {}

    package init(_ message: ArraySlice<UInt8>) throws(MalformedBytes) {
        var reader = ProtobufReader(message)
        while try reader.next() {
            switch reader.number {
            case 1: key = try reader.bytes()
            case 2: value = try reader.bytes()
            case 3: lease = try reader.int64()
            case 4: wantsPrevious = try reader.bool()
            case 5: ignoreValue = try reader.bool()
            case 6: ignoreLease = try reader.bool()
            default: break
            }
        }
    }

    /// What can be refused without looking at any state.
    package func check() throws(KeyspaceError) {
        if key.isEmpty { throw .emptyKey }
        if ignoreValue && !value.isEmpty { throw .valueProvided }
        if ignoreLease && lease != 0 { throw .leaseProvided }
    }
}
