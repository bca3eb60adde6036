package import SynodBytes

/// Where the keyspace keeps what in its store.
///
///     'K' main:8 '_' sub:8       a put: etcd's KeyValue message
///     'K' main:8 '_' sub:8 't'   a deletion: a KeyValue message with the key alone
///     'M'                        ``StateRecord``
///
/// Integers are big-endian, so that records lie in the order of the changes. Behind the first byte
/// the records are byte for byte what etcd keeps, since its HashKV is a checksum over them.
package enum RecordLayout {
    package static let recordPrefix = UInt8(ascii: "K")
    package static let stateKey: Bytes = [UInt8(ascii: "M")]

    /// Lower and exclusive upper end of everything that the keyspace keeps.
    package static let everything: (lower: Bytes, upper: Bytes) = (
        [recordPrefix], [stateKey[0] + 1]
    )

    static let putKeyBytes = 18
    static let tombstoneKeyBytes = 19

    /// Lower and exclusive upper end of the records of these revisions.
    static func records(from lower: Int64, through upper: Int64) -> (lower: Bytes, upper: Bytes) {
        var range = (lower: [recordPrefix], upper: [recordPrefix])
        append(max(lower, 0), to: &range.lower)
        if upper == .max {
            range.upper[0] += 1
        } else {
            append(upper + 1, to: &range.upper)
        }
        return range
    }

    static func key(of mark: Mark) -> Bytes {
        var key = Bytes()
        key.reserveCapacity(tombstoneKeyBytes)
        key.append(recordPrefix)
        append(mark.main, to: &key)
        key.append(UInt8(ascii: "_"))
        append(Int64(mark.sub), to: &key)
        if mark.isTombstone { key.append(UInt8(ascii: "t")) }
        return key
    }

    /// The change that a record's key names; nil if it is no such key. `valueCount` is the size of
    /// the record's value.
    static func mark(_ key: UnsafeRawBufferPointer, valueCount: Int) -> Mark? {
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

    private static func append(_ integer: Int64, to key: inout Bytes) {
        withUnsafeBytes(of: integer.bigEndian) { key.append(contentsOf: $0) }
    }
}
