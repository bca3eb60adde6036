package import SynodBytes

/// How many revisions the commands of a slot took. The keyspace only keeps it.
package struct SlotOutcome: Hashable, Sendable {
    package let slot: UInt64
    package let taken: UInt32

    package init(slot: UInt64, taken: UInt32) {
        self.slot = slot
        self.taken = taken
    }
}

/// What the keyspace knows beyond its keys, written with every batch of changes.
package struct StateRecord: Equatable {
    /// The position in the log up to which commands are applied, inclusive.
    package var appliedThrough: UInt64 = 0
    /// Every change up to here, inclusive, is in the store, and none beyond.
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
    /// What the last commit was told to keep; by rising slots.
    package var outcomes: [SlotOutcome] = []

    private static let format: UInt8 = 2

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
        writer.writeVarint(UInt64(outcomes.count))
        var slot: UInt64 = 0
        for outcome in outcomes {
            writer.writeVarint(outcome.slot - slot)
            writer.writeVarint(UInt64(outcome.taken))
            slot = outcome.slot
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
        for _ in 0..<(try reader.readCount()) {
            let (slot, overflow) = (outcomes.last?.slot ?? 0).addingReportingOverflow(
                try reader.readVarint())
            guard !overflow, let taken = UInt32(exactly: try reader.readVarint()) else {
                throw MalformedBytes("the state record holds an impossible outcome")
            }
            outcomes.append(SlotOutcome(slot: slot, taken: taken))
        }
        guard revision >= 1, compactRevision >= -1, compactRevision <= revision,
            removedThrough >= -1, removedThrough <= compactRevision,
            outcomes.count <= Limits.slotOutcomes, reader.isAtEnd
        else { throw MalformedBytes("the state record's figures contradict each other") }
    }
}
