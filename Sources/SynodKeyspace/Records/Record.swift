package import SynodBytes

/// A key with its value at one revision: etcd's KeyValue message, which is both what the store
/// keeps and what answers carry.
package struct Record {
    package var key: ArraySlice<UInt8> = []
    package var createRevision: Int64 = 0
    package var modRevision: Int64 = 0
    package var version: Int64 = 0
    package var value: ArraySlice<UInt8> = []
    package var lease: Int64 = 0

    package init(
        key: ArraySlice<UInt8>, createRevision: Int64, modRevision: Int64, version: Int64,
        value: ArraySlice<UInt8>, lease: Int64
    ) {
        self.key = key
        self.createRevision = createRevision
        self.modRevision = modRevision
        self.version = version
        self.value = value
        self.lease = lease
    }

    package init(_ message: ArraySlice<UInt8>) throws(MalformedBytes) {
        var reader = ProtobufReader(message)
        while try reader.next() {
            switch reader.number {
            case 1: key = try reader.bytes()
            case 2: createRevision = try reader.int64()
            case 3: modRevision = try reader.int64()
            case 4: version = try reader.int64()
            case 5: value = try reader.bytes()
            case 6: lease = try reader.int64()
            default: throw MalformedBytes("a record has the unknown field \(reader.number)")
            }
        }
    }

    package func encode(into writer: inout ByteWriter) {
        writer.writeField(1, key)
        writer.writeField(2, createRevision)
        writer.writeField(3, modRevision)
        writer.writeField(4, version)
        writer.writeField(5, value)
        writer.writeField(6, lease)
    }
}
