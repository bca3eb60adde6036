package import SynodBytes

/// What a slot holds: a batch of commands, or nothing.
///
/// It is kept as the bytes that go to disk and to the peers: encoded once by its proposer, stored
/// and passed on as they are, read when the commands are executed.
///
/// ```
/// kind   1  0 no-op, 1 batch, 2 batch behind a stamp
/// stamp  see Stamp
/// count  varint
/// then for every command
/// origin 8, sequence varint, footprint: see Footprint, payload: length as varint, bytes
/// ```
package struct Entry: Hashable, Sendable {
    package let encoded: Bytes

    private enum Kind {
        static let noop: UInt8 = 0
        static let batch: UInt8 = 1
        static let stampedBatch: UInt8 = 2
    }

    /// Fills a slot for which nothing was accepted.
    package static let noop = Entry(trusted: [Kind.noop])

    /// - Parameter stamp: nil: the commands are executed when everything before them is.
    package init(_ commands: some Collection<Command>, stamp: Stamp? = nil) {
        let stampBytes = stamp?.byteCount ?? 0
        var writer = ByteWriter(
            capacity: commands.reduce(16 + stampBytes) { $0 + $1.byteCount })
        writer.write(stamp == nil ? Kind.batch : Kind.stampedBatch)
        if let stamp { writer.write(stamp) }
        writer.writeVarint(UInt64(commands.count))
        for command in commands { writer.write(command) }
        encoded = writer.bytes
    }

    /// An entry from the wire or the disk, read through once to the end.
    package init(encoded: Bytes) throws(MalformedBytes) {
        var reader = ByteReader(encoded)
        let kind = try reader.read(UInt8.self)
        switch kind {
        case Kind.noop: break
        case Kind.batch, Kind.stampedBatch:
            let stamp = kind == Kind.batch ? nil : try reader.readStamp()
            let count = try reader.readCount()
            if let last = stamp?.waits.last, last.command >= count {
                throw MalformedBytes("a stamp for more commands than there are")
            }
            for _ in 0..<count { _ = try reader.readEntryCommand() }
        default: throw MalformedBytes("an entry of unknown kind \(kind)")
        }
        guard reader.isAtEnd else { throw MalformedBytes("an entry with bytes behind its end") }
        self.encoded = encoded
    }

    private init(trusted: Bytes) {
        encoded = trusted
    }

    package var isNoop: Bool { encoded[0] == Kind.noop }

    package var isStamped: Bool { encoded[0] == Kind.stampedBatch }

    package var stamp: Stamp? {
        guard isStamped else { return nil }
        return Self.trusting { () throws(MalformedBytes) in
            var reader = ByteReader(encoded[1...])
            return try reader.readStamp()
        }
    }

    /// How many of its commands wait for those of other entries, and how many there are. Without
    /// a stamp all of them wait.
    var conflicts: (delayed: Int, count: Int) {
        let count = commandCount
        return (stamp?.delayedCommands.count ?? count, count)
    }

    /// The bytes that it has without its stamp, which are no measure of what clients send: a stamp of
    /// many slots is longer than a small command.
    var commandBytes: Int { isStamped ? openCommands().reader.remaining : encoded.count }

    package var commandCount: Int { isNoop ? 0 : openCommands().count }

    /// A reader of the first command, and how many there are; not of a no-op.
    private func openCommands() -> (reader: ByteReader, count: Int) {
        Self.trusting { () throws(MalformedBytes) in
            var reader = ByteReader(encoded[1...])
            if isStamped { _ = try reader.readStamp() }
            let count = try reader.readCount()
            return (reader, count)
        }
    }

    /// Visits the commands in order, without copying their payloads.
    package func forEachCommand<Failure: Error>(
        _ body: (EntryCommand) throws(Failure) -> Void
    ) throws(Failure) {
        guard !isNoop else { return }
        var (reader, count) = openCommands()
        for index in 0..<count {
            var command = Self.trusting { () throws(MalformedBytes) in
                try reader.readEntryCommand()
            }
            command.index = index
            try body(command)
        }
    }

    fileprivate static func trusting<Result>(_ read: () throws(MalformedBytes) -> Result) -> Result
    {
        do {
            return try read()
        } catch {
            preconditionFailure("An entry was read through when it was made: \(error.reason).")
        }
    }
}

/// A command where it lies in an entry.
package struct EntryCommand {
    package let id: CommandID
    package let isCertain: Bool
    package let payload: ArraySlice<UInt8>
    /// Its place in the entry, from 0.
    package internal(set) var index = 0
    /// Where the footprint begins, which was looked through before.
    let footprintReader: ByteReader

    package var footprint: Footprint {
        Entry.trusting { () throws(MalformedBytes) in
            var reader = footprintReader
            return try reader.readFootprint().footprint
        }
    }
}
