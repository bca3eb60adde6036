package import SynodBytes

/// Where the keyspace keeps what in its store.
///
///     'G' through:8              from:8, see ``RevisionGap``
///     'K' main:8 '_' sub:8       a put: etcd's KeyValue message
///     'K' main:8 '_' sub:8 't'   a deletion: a KeyValue message with the key alone
///     'M'                        ``StateRecord``
///
/// Integers are big-endian, so that records lie in the order of the changes. Behind the first byte
/// the records are byte for byte what etcd keeps, since its HashKV is a checksum over them.
package enum RecordLayout {
    package static let recordPrefix = UInt8(ascii: "K")
    package static let stateKey: Bytes = [UInt8(ascii: "M")]

    package static let putKeyBytes = 18
    package static let tombstoneKeyBytes = 19

    /// Lower and exclusive upper end of the records of these revisions.
    package static func records(from lower: Int64, through upper: Int64) -> (
        lower: Bytes, upper: Bytes
    ) {
        func bound(_ revision: Int64) -> Bytes {
            var writer = ByteWriter(capacity: 9)
            writer.write(recordPrefix)
            writer.writeBigEndian(revision)
            return writer.bytes
        }
        let end = upper == .max ? [recordPrefix + 1] : bound(upper + 1)
        return (bound(max(lower, 0)), end)
    }

    package static func key(of mark: Mark) -> Bytes {
        var writer = ByteWriter(capacity: tombstoneKeyBytes)
        appendKey(main: mark.main, sub: mark.sub, isTombstone: mark.isTombstone, to: &writer)
        return writer.bytes
    }

    package static func appendKey(
        main: Int64, sub: UInt32, isTombstone: Bool, to writer: inout ByteWriter
    ) {
        writer.write(recordPrefix)
        writer.writeBigEndian(main)
        writer.write(UInt8(ascii: "_"))
        writer.writeBigEndian(Int64(sub))
        if isTombstone { writer.write(UInt8(ascii: "t")) }
    }

    /// The change that a record's key names; nil if it is no such key. `valueCount` is the size of
    /// the record's value.
    package static func mark(_ key: UnsafeRawBufferPointer, valueCount: Int) -> Mark? {
        let isTombstone = key.count == tombstoneKeyBytes
        guard isTombstone || key.count == putKeyBytes, key[0] == recordPrefix,
            key[9] == UInt8(ascii: "_"), !isTombstone || key[18] == UInt8(ascii: "t")
        else { return nil }
        let main = Int64(bigEndian: key.loadUnaligned(fromByteOffset: 1, as: Int64.self))
        let sub = Int64(bigEndian: key.loadUnaligned(fromByteOffset: 10, as: Int64.self))
        guard main > 0, sub >= 0, sub <= Int64(UInt32.max >> 1) else { return nil }
        return Mark(
            main: main, sub: UInt32(sub), isTombstone: isTombstone,
            byteCount: key.count + valueCount)
    }
}
