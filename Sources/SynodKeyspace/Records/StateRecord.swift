package import SynodBytes

/// What the keyspace knows beyond its keys, written with every batch of changes.
package struct StateRecord: Equatable {
    /// The position in the log up to which commands are applied, inclusive.
    package var appliedThrough: UInt64 = 0
    package var revision: Int64 = 1
    /// The oldest readable revision; -1 before any compaction.
    package var compactRevision: Int64 = -1
    /// The compaction whose superseded records are all removed; below ``compactRevision`` while
    /// removal has still to be done.
    package var removedThrough: Int64 = -1
    /// Keys not deleted: lets a load notice what is missing.
    package var keyCount: UInt64 = 0
    /// Sorted.
    package var alarms: [Alarm] = []

    private static let format: UInt8 = 1

    package init() {}

    package func encoded() -> Bytes {
        var writer = ByteWriter(capacity: 64)
        writer.write(Self.format)
        writer.write(appliedThrough)
        writer.write(revision)
        writer.write(compactRevision)
        writer.write(removedThrough)
        writer.write(keyCount)
        writer.writeVarint(UInt64(alarms.count))
        for alarm in alarms {
            writer.write(alarm.memberID)
            writer.write(UInt8(alarm.kind.rawValue))
        }
        writer.write(CRC32C.checksum(writer.bytes))
        return writer.bytes
    }

    package init(_ bytes: Bytes) throws(MalformedBytes) {
        guard bytes.count > 4 else { throw MalformedBytes("the state record is cut off") }
        var checksum = ByteReader(bytes[(bytes.count - 4)...])
        guard try checksum.read(UInt32.self) == CRC32C.checksum(bytes[..<(bytes.count - 4)]) else {
            throw MalformedBytes("the state record's checksum does not match")
        }
        var reader = ByteReader(bytes[..<(bytes.count - 4)])
        guard try reader.read(UInt8.self) == Self.format else {
            throw MalformedBytes("the state record has an unknown format")
        }
        appliedThrough = try reader.read()
        revision = try reader.read()
        compactRevision = try reader.read()
        removedThrough = try reader.read()
        keyCount = try reader.read()
        for _ in 0..<(try reader.readCount()) {
            let memberID = try reader.read(UInt64.self)
            guard let kind = Alarm.Kind(rawValue: Int32(try reader.read(UInt8.self))) else {
                throw MalformedBytes("the state record holds an unknown alarm")
            }
            alarms.append(Alarm(memberID: memberID, kind: kind))
        }
        guard revision >= 1, compactRevision >= -1, compactRevision <= revision,
            removedThrough >= -1, removedThrough <= compactRevision, reader.isAtEnd
        else { throw MalformedBytes("the state record's figures contradict each other") }
    }
}
