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
    package let payload: Bytes

    package init(id: CommandID, footprint: Footprint, payload: Bytes) {
        self.id = id
        self.footprint = footprint
        self.payload = payload
    }

    /// Upper bound of the bytes it takes in an entry or a message.
    package var byteCount: Int {
        let hashes = if case .keys(let keys) = footprint { keys.count } else { 1 }
        return payload.count + 8 * hashes + 32
    }
}

/// What a slot holds: a batch of commands, or nothing.
///
/// It is kept as the bytes that go to disk and to the peers: encoded once by the leader, stored
/// and passed on as they are, read when the commands are executed.
///
/// ```
/// kind   1  0 no-op, 1 batch
/// count  varint
/// then for every command
/// origin 8, sequence varint, footprint: count + 1 as varint (0: everything), 8 each,
/// payload: length as varint, bytes
/// ```
package struct Entry: Hashable, Sendable {
    package let encoded: Bytes

    private enum Kind {
        static let noop: UInt8 = 0
        static let batch: UInt8 = 1
    }

    /// Fills a slot for which nothing was accepted.
    package static let noop = Entry(trusted: [Kind.noop])

    package init(_ commands: some Collection<Command>) {
        var writer = ByteWriter(capacity: commands.reduce(16) { $0 + $1.byteCount })
        writer.write(Kind.batch)
        writer.writeVarint(UInt64(commands.count))
        for command in commands { writer.write(command) }
        encoded = writer.bytes
    }

    /// An entry from the wire or the disk, read through once to the end.
    package init(encoded: Bytes) throws(MalformedBytes) {
        var reader = ByteReader(encoded)
        switch try reader.read(UInt8.self) {
        case Kind.noop: break
        case Kind.batch:
            for _ in 0..<(try reader.readCount()) { try reader.skipCommand() }
        case let kind: throw MalformedBytes("an entry of unknown kind \(kind)")
        }
        guard reader.isAtEnd else { throw MalformedBytes("an entry with bytes behind its end") }
        self.encoded = encoded
    }

    private init(trusted: Bytes) {
        encoded = trusted
    }

    package var isNoop: Bool { encoded[0] == Kind.noop }

    /// Visits the commands in order, without copying their payloads.
    package func forEachCommand<Failure: Error>(
        _ body: (CommandID, ArraySlice<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        guard !isNoop else { return }
        var reader = ByteReader(encoded[1...])
        var left = Self.trusting { () throws(MalformedBytes) in try reader.readCount() }
        while left > 0 {
            let (id, payload) = Self.trusting {
                () throws(MalformedBytes) -> (CommandID, ArraySlice<UInt8>) in
                let origin = ReplicaID(try reader.read())
                let sequence = try reader.readVarint()
                try reader.skipFootprint()
                return (
                    CommandID(origin: origin, sequence: sequence), try reader.readPrefixed()
                )
            }
            try body(id, payload)
            left -= 1
        }
    }

    private static func trusting<Result>(_ read: () throws(MalformedBytes) -> Result) -> Result {
        do {
            return try read()
        } catch {
            preconditionFailure("An entry was read through when it was made: \(error.reason).")
        }
    }
}

extension ByteWriter {
    mutating func write(_ command: Command) {
        write(command.id.origin.rawValue)
        writeVarint(command.id.sequence)
        switch command.footprint {
        case .everything: writeVarint(0)
        case .key(let key):
            writeVarint(2)
            write(key)
        case .keys(let keys):
            writeVarint(UInt64(keys.count) + 1)
            for key in keys { write(key) }
        }
        writePrefixed(command.payload)
    }
}

extension ByteReader {
    mutating func readCommand() throws(MalformedBytes) -> Command {
        let id = CommandID(origin: ReplicaID(try read()), sequence: try readVarint())
        let footprint = try readFootprint()
        return Command(id: id, footprint: footprint, payload: Array(try readPrefixed()))
    }

    mutating func readFootprint() throws(MalformedBytes) -> Footprint {
        let announced = try readCount()
        switch announced {
        case 0: return .everything
        case 2: return .key(try read())
        default:
            guard announced - 1 <= remaining / 8 else {
                throw MalformedBytes("a footprint is cut off")
            }
            var keys: [UInt64] = []
            keys.reserveCapacity(announced - 1)
            for _ in 1..<announced { keys.append(try read()) }
            return .keys(keys)
        }
    }

    mutating func skipFootprint() throws(MalformedBytes) {
        let announced = try readCount()
        if announced > 1 { _ = try readRaw((announced - 1) * 8) }
    }

    mutating func skipCommand() throws(MalformedBytes) {
        _ = try readRaw(8)
        _ = try readVarint()
        try skipFootprint()
        _ = try readPrefixed()
    }
}
