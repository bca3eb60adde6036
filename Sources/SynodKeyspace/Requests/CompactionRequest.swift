package import SynodBytes

/// etcd's CompactionRequest.
package struct CompactionRequest: Sendable {
    /// The oldest revision that stays readable.
    package var revision: Int64 = 0
    /// Whether the answer waits until the history is really removed. That is the owner's to do: see
    /// ``Keyspace/isCompactionFinished``.
    package var isPhysical = false

    package init() {}

    package init(_ message: ArraySlice<UInt8>) throws(MalformedBytes) {
        var reader = ProtobufReader(message)
        while try reader.next() {
            switch reader.number {
            case 1: revision = try reader.int64()
            case 2: isPhysical = try reader.bool()
            default: break
            }
        }
    }
}
