package import SynodBytes
package import SynodPaxos
package import SynodStorage

/// How the durable state of the Paxos roles lies in the log store.
///
/// ```
/// "b"            boot counter, 8 bytes
/// "c"            chosen through: a slot; may lag behind what was known
/// "e" slot (BE)  ballot and entry accepted in, or fetched for, the slot
/// "h"            the last starts: boot counter and session of each
/// "i" id   (BE)  what is known of a peer's identity
/// "p"            the promised ballot
/// "s"            number of the state store in use
/// "w" id   (BE)  what a peer has acknowledged to this replica; may lag behind a little
/// ```
package enum LogSchema {
    static let bootKey: Bytes = [UInt8(ascii: "b")]
    static let chosenKey: Bytes = [UInt8(ascii: "c")]
    static let historyKey: Bytes = [UInt8(ascii: "h")]
    static let promisedKey: Bytes = [UInt8(ascii: "p")]
    static let stateKey: Bytes = [UInt8(ascii: "s")]
    static let entryPrefix = UInt8(ascii: "e")
    static let identityPrefix = UInt8(ascii: "i")
    static let witnessPrefix = UInt8(ascii: "w")

    static func entryKey(_ slot: Slot) -> Bytes { key(entryPrefix, slot.rawValue) }

    static func identityKey(_ replica: ReplicaID) -> Bytes { key(identityPrefix, replica.rawValue) }

    static func witnessKey(_ replica: ReplicaID) -> Bytes { key(witnessPrefix, replica.rawValue) }

    private static func key(_ prefix: UInt8, _ number: UInt64) -> Bytes {
        var writer = ByteWriter(capacity: 9)
        writer.write(prefix)
        writer.writeBigEndian(number)
        return writer.bytes
    }

    static func number(_ value: UInt64) -> Bytes {
        var writer = ByteWriter(capacity: 8)
        writer.write(value)
        return writer.bytes
    }

    /// Adds a step's writes to a batch.
    static func append(_ writes: [LogWrite], to batch: inout WriteBatch) {
        for write in writes {
            switch write {
            case .promised(let ballot):
                var writer = ByteWriter(capacity: 32)
                writer.write(ballot)
                batch.put(promisedKey, writer.bytes)
            case .accepted(let slot, let accepted):
                var writer = ByteWriter(capacity: accepted.entry.encoded.count + 48)
                writer.write(accepted)
                batch.put(entryKey(slot), writer.bytes)
            case .installed(let slot):
                batch.deleteRange(from: entryKey(.zero), to: entryKey(slot.next))
            }
        }
    }

    static func readNumber(_ key: Bytes, in store: some Store) throws(StorageError) -> UInt64? {
        guard let value = try store.get(key) else { return nil }
        var reader = ByteReader(value)
        do {
            return try reader.read(UInt64.self)
        } catch {
            throw corrupt(error)
        }
    }

    static func readPromised(in store: some Store) throws(StorageError) -> Ballot? {
        guard let value = try store.get(promisedKey) else { return nil }
        var reader = ByteReader(value)
        do {
            return try reader.readBallot()
        } catch {
            throw corrupt(error)
        }
    }

    static func encode(_ history: BootHistory) -> Bytes {
        var writer = ByteWriter()
        history.write(into: &writer)
        return writer.bytes
    }

    static func readHistory(in store: some Store) throws(StorageError) -> BootHistory {
        guard let value = try store.get(historyKey) else { return BootHistory() }
        var reader = ByteReader(value)
        do {
            return try BootHistory(reading: &reader)
        } catch {
            throw corrupt(error)
        }
    }

    /// The first slot that the log has an entry for; nil if there is none.
    static func firstSlot(in store: some Store) throws(StorageError) -> Slot? {
        var first: Result<Slot, MalformedBytes>?
        try store.scan(from: entryKey(.zero), to: [entryPrefix + 1]) { key, _ in
            first = Result { () throws(MalformedBytes) in try slot(of: key) }
            return false
        }
        do {
            return try first?.get()
        } catch {
            throw corrupt(error)
        }
    }

    private static func slot(of key: UnsafeRawBufferPointer) throws(MalformedBytes) -> Slot {
        guard key.count == 9 else { throw MalformedBytes("a slot's key has \(key.count) bytes") }
        return Slot(UInt64(bigEndian: key.loadUnaligned(fromByteOffset: 1, as: UInt64.self)))
    }

    /// Visits the accepted entries from a slot on, in slot order, until `body` returns false.
    static func scanEntries(
        from slot: Slot, in store: some Store, _ body: (SlotAccepted) -> Bool
    ) throws(StorageError) {
        var failure: MalformedBytes?
        try store.scan(from: entryKey(slot), to: [entryPrefix + 1]) { key, value in
            do {
                let slot = try Self.slot(of: key)
                var reader = ByteReader(Bytes(value))
                let item = SlotAccepted(slot: slot, accepted: try reader.readAccepted())
                return body(item)
            } catch let malformed as MalformedBytes {
                failure = malformed
            } catch {}
            return false
        }
        if let failure { throw corrupt(failure) }
    }

    /// What a record of the log store says, for whoever watches the disk.
    package enum Record: Hashable, Sendable {
        case promised(Ballot)
        case entry(SlotAccepted)
        /// Boot counters, identities and the like.
        case other
    }

    package static func record(key: Bytes, value: Bytes) throws(MalformedBytes) -> Record {
        var reader = ByteReader(value)
        if key == promisedKey { return .promised(try reader.readBallot()) }
        guard key.first == entryPrefix else { return .other }
        var keyReader = ByteReader(key.dropFirst())
        let slot = Slot(try keyReader.readBigEndian())
        return .entry(SlotAccepted(slot: slot, accepted: try reader.readAccepted()))
    }

    private static func corrupt(_ cause: MalformedBytes) -> StorageError {
        StorageError(.corrupt, "the log store holds a damaged record: \(cause.reason)")
    }

    /// Whether no node has ever started on this log store.
    package static func isNew(_ store: some Store) throws(StorageError) -> Bool {
        try store.get(bootKey) == nil
    }

    /// The number of the state store in use; 1 in a new log store. Needed before a node can be
    /// made, because the node is given that store.
    package static func currentState(in store: some Store) throws(StorageError) -> UInt64 {
        try readNumber(stateKey, in: store) ?? 1
    }
}
