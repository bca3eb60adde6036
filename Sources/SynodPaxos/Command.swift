package import SynodBytes

/// Names a client operation for ever: the replica whose client asked, and a number that grows
/// with every operation and every restart of that replica.
package struct CommandID: Hashable, Sendable {
    package let origin: ReplicaID
    package let sequence: UInt64

    package init(origin: ReplicaID, sequence: UInt64) {
        self.origin = origin
        self.sequence = sequence
    }
}

/// One client operation: bytes that mean something to the keyspace only, and the keys it touches.
package struct Command: Hashable, Sendable {
    package let id: CommandID
    package let footprint: Footprint
    /// Whether it takes exactly one revision whatever the state is, as a plain put does. Whether
    /// others change anything is known only when they are executed.
    package let isCertain: Bool
    package let payload: Bytes

    package init(id: CommandID, footprint: Footprint, isCertain: Bool = false, payload: Bytes) {
        precondition(footprint.extent <= payload.count, "A footprint lies within its payload.")
        self.id = id
        self.footprint = footprint
        self.isCertain = isCertain
        self.payload = payload
    }

    /// Upper bound of the bytes it takes in an entry or a message.
    package var byteCount: Int { payload.count + 16 * footprint.partCount + 32 }

    package var outline: Outline {
        Outline(isCertain: isCertain, spans: footprint.spans(in: payload[...]))
    }
}

extension ByteWriter {
    mutating func write(_ command: Command) {
        write(command.id.origin.rawValue)
        writeVarint(command.id.sequence)
        write(command.footprint, isCertain: command.isCertain)
        writePrefixed(command.payload)
    }
}

extension ByteReader {
    mutating func readCommand() throws(MalformedBytes) -> Command {
        let item = try readEntryCommand()
        return Command(
            id: item.id, footprint: item.footprint, isCertain: item.isCertain,
            payload: Array(item.payload))
    }

    /// A command that stays where it is; its footprint is looked through and not kept.
    mutating func readEntryCommand() throws(MalformedBytes) -> EntryCommand {
        let id = CommandID(origin: ReplicaID(try read()), sequence: try readVarint())
        let start = self
        let (isCertain, extent) = try skipFootprint()
        let payload = try readPrefixed()
        guard extent <= payload.count else {
            throw MalformedBytes("a footprint beyond its command")
        }
        return EntryCommand(
            id: id, isCertain: isCertain, payload: payload, footprintReader: start)
    }
}
