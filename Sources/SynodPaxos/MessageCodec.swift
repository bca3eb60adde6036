package import SynodBytes

/// Messages as bytes between peers, version 1: a tag, then the fields in the order of the case.
extension Message {
    private enum Tag: UInt8 {
        case canvass = 1
        case canvassed, prepare, promise, nack, accept, accepted, chosen, heartbeat, heard
        case forward, readQuery, readReply, fetch, fetched, truncated, unheard
        case grantRequest, grant
    }

    /// The tags from here on are free for messages that are not the core's.
    package static let firstForeignTag: UInt8 = 64

    /// Whether what is sent after this message may arrive before it without harm. A leader takes
    /// forwarded commands in the order in which they were sent, and waits for what comes late to be
    /// sent again.
    package static func mayBeOvertaken(_ encoded: Bytes) -> Bool {
        encoded.first != Tag.forward.rawValue
    }

    package var encoded: Bytes {
        var writer = ByteWriter(capacity: sizeHint)
        encode(into: &writer)
        return writer.bytes
    }

    private var sizeHint: Int {
        switch self {
        case .accept(_, _, let entry): entry.encoded.count + 64
        case .forward(_, _, _, let commands): commands.reduce(64) { $0 + $1.byteCount }
        case .readQuery(_, let scopes): scopes.encoded.count + 64
        default: 64
        }
    }

    private func encode(into writer: inout ByteWriter) {
        switch self {
        case .canvass(let round, let isUnserved):
            writer.write(Tag.canvass, round)
            writer.write(UInt8(isUnserved ? 1 : 0))
        case .canvassed(let round, let leader, let chosenThrough):
            writer.write(Tag.canvassed, round)
            writer.write(chosenThrough)
            writer.write(leader == nil ? UInt8(0) : 1)
            if let leader { writer.write(leader) }
        case .prepare(let ballot, let from):
            writer.write(Tag.prepare, ballot)
            writer.write(from)
        case .promise(let promise):
            writer.write(Tag.promise, promise.ballot)
            writer.write(promise.chosenThrough)
            writer.writeVarint(UInt64(promise.accepted.count))
            for item in promise.accepted {
                writer.write(item.slot)
                writer.write(item.accepted)
            }
        case .nack(let promised):
            writer.write(Tag.nack, promised)
        case .accept(let ballot, let slot, let entry):
            writer.write(Tag.accept, ballot)
            writer.write(slot)
            writer.writePrefixed(entry.encoded)
        case .accepted(let ballot, let first, let last):
            writer.write(Tag.accepted, ballot)
            writer.write(first)
            writer.write(last)
        case .chosen(let progress):
            writer.write(Tag.chosen, progress)
        case .heartbeat(let progress):
            writer.write(Tag.heartbeat, progress)
        case .heard(let ballot):
            writer.write(Tag.heard, ballot)
        case .unheard(let ballot):
            writer.write(Tag.unheard, ballot)
        case .forward(let ballot, let boot, let position, let commands):
            writer.write(Tag.forward, ballot)
            writer.writeVarint(boot)
            writer.writeVarint(position)
            writer.writeVarint(UInt64(commands.count))
            for command in commands { writer.write(command) }
        case .grantRequest(let ballot, let boot, let batches):
            writer.write(Tag.grantRequest, ballot)
            writer.writeVarint(boot)
            writer.writeVarint(UInt64(batches.count))
            for batch in batches { writer.write(batch) }
        case .grant(let ballot, let boot, let batch, let slot, let stamp):
            writer.write(Tag.grant, ballot)
            writer.writeVarint(boot)
            writer.writeVarint(batch)
            writer.write(slot)
            writer.write(stamp == nil ? UInt8(0) : 1)
            if let stamp { writer.write(stamp) }
        case .readQuery(let round, let scopes):
            writer.write(Tag.readQuery, round)
            writer.writeVarint(UInt64(scopes.count))
            writer.writePrefixed(scopes.encoded)
        case .readReply(let round, let chosenThrough, let conflicts):
            writer.write(Tag.readReply, round)
            writer.write(chosenThrough)
            writer.writeVarint(UInt64(conflicts.count))
            for conflict in conflicts {
                writer.writeVarint(UInt64(conflict.read) << 1 | (conflict.isVague ? 1 : 0))
                writer.write(conflict.slot)
            }
        case .fetch(let from):
            writer.write(Tag.fetch.rawValue)
            writer.write(from)
        case .fetched(let from, let entries, let chosenThrough):
            writer.write(Tag.fetched.rawValue)
            writer.write(from)
            writer.writeVarint(UInt64(entries.count))
            for accepted in entries { writer.write(accepted) }
            writer.write(chosenThrough)
        case .truncated(let firstRetained):
            writer.write(Tag.truncated.rawValue)
            writer.write(firstRetained)
        }
    }

    /// Reads one message, every number checked against its range.
    package init(encoded: Bytes) throws(MalformedBytes) {
        var reader = ByteReader(encoded)
        let tag = try reader.read(UInt8.self)
        guard let tag = Tag(rawValue: tag) else {
            throw MalformedBytes("a message of unknown kind \(tag)")
        }
        self = try Message(tag, &reader)
        guard reader.isAtEnd else { throw MalformedBytes("a message with bytes behind its end") }
    }

    private init(_ tag: Tag, _ reader: inout ByteReader) throws(MalformedBytes) {
        switch tag {
        case .canvass:
            let round = try reader.readVarint()
            self = .canvass(round: round, isUnserved: try reader.read(UInt8.self) != 0)
        case .canvassed:
            let round = try reader.readVarint()
            let chosenThrough = try reader.readSlot()
            let hearsLeader = try reader.read(UInt8.self) != 0
            self = .canvassed(
                round: round, leader: hearsLeader ? try reader.readProgress() : nil,
                chosenThrough: chosenThrough)
        case .prepare:
            self = .prepare(ballot: try reader.readBallot(), from: try reader.readSlot())
        case .promise: self = .promise(try reader.readPromise())
        case .nack: self = .nack(promised: try reader.readBallot())
        case .accept:
            self = .accept(
                ballot: try reader.readBallot(), slot: try reader.readSlot(),
                entry: try reader.readEntry())
        case .accepted:
            let ballot = try reader.readBallot()
            let first = try reader.readSlot()
            let last = try reader.readSlot()
            guard first <= last else {
                throw MalformedBytes("a run of slots ends before it starts")
            }
            self = .accepted(ballot: ballot, first: first, last: last)
        case .chosen: self = .chosen(try reader.readProgress())
        case .heartbeat: self = .heartbeat(try reader.readProgress())
        case .heard: self = .heard(ballot: try reader.readBallot())
        case .unheard: self = .unheard(ballot: try reader.readBallot())
        case .forward: self = try .forward(&reader)
        case .grantRequest:
            let ballot = try reader.readBallot()
            let boot = try reader.readVarint()
            var batches: [BatchOutline] = []
            for _ in 0..<(try reader.readCount()) { batches.append(try reader.readBatch()) }
            self = .grantRequest(ballot: ballot, boot: boot, batches: batches)
        case .grant:
            let ballot = try reader.readBallot()
            let boot = try reader.readVarint()
            let batch = try reader.readVarint()
            let slot = try reader.readSlot()
            let isStamped = try reader.read(UInt8.self) != 0
            self = .grant(
                ballot: ballot, boot: boot, batch: batch, slot: slot,
                stamp: isStamped ? try reader.readStamp() : nil)
        case .readQuery: self = try .readQuery(&reader)
        case .readReply:
            let round = try reader.readVarint()
            let chosenThrough = try reader.readSlot()
            var conflicts: [ReadConflict] = []
            for _ in 0..<(try reader.readCount()) { conflicts.append(try reader.readConflict()) }
            self = .readReply(round: round, chosenThrough: chosenThrough, conflicts: conflicts)
        case .fetch: self = .fetch(from: try reader.readSlot())
        case .fetched: self = try .fetched(&reader)
        case .truncated: self = .truncated(firstRetained: try reader.readSlot())
        }
    }

    private static func readQuery(_ reader: inout ByteReader) throws(MalformedBytes) -> Message {
        let round = try reader.readVarint()
        let count = try reader.readVarint()
        guard count <= UInt64(Limits.pendingReads) else {
            throw MalformedBytes("a round of too many reads")
        }
        let scopes = ReadScopes(count: Int(count), encoded: Array(try reader.readPrefixed()))
        return .readQuery(round: round, scopes: scopes)
    }

    private static func forward(_ reader: inout ByteReader) throws(MalformedBytes) -> Message {
        let ballot = try reader.readBallot()
        let boot = try reader.readVarint()
        let position = try reader.readVarint()
        guard position <= Limits.highestSlot else { throw MalformedBytes("a position too high") }
        var commands: [Command] = []
        for _ in 0..<(try reader.readCount()) { commands.append(try reader.readCommand()) }
        return .forward(ballot: ballot, boot: boot, position: position, commands: commands)
    }

    private static func fetched(_ reader: inout ByteReader) throws(MalformedBytes) -> Message {
        let from = try reader.readSlot()
        var entries: [Accepted] = []
        for _ in 0..<(try reader.readCount()) { entries.append(try reader.readAccepted()) }
        return .fetched(from: from, entries: entries, chosenThrough: try reader.readSlot())
    }
}

extension ByteWriter {
    package mutating func write(_ slot: Slot) {
        writeVarint(slot.rawValue)
    }

    package mutating func write(_ ballot: Ballot) {
        writeVarint(ballot.round)
        write(ballot.replica.rawValue)
        writeVarint(UInt64(ballot.attempt))
    }

    package mutating func write(_ accepted: Accepted) {
        write(accepted.ballot)
        writePrefixed(accepted.entry.encoded)
    }

    fileprivate mutating func write(_ tag: some RawRepresentable<UInt8>, _ number: UInt64) {
        write(tag.rawValue)
        writeVarint(number)
    }

    fileprivate mutating func write(_ tag: some RawRepresentable<UInt8>, _ ballot: Ballot) {
        write(tag.rawValue)
        write(ballot)
    }

    fileprivate mutating func write(_ tag: some RawRepresentable<UInt8>, _ progress: Progress) {
        write(tag.rawValue)
        write(progress)
    }

    fileprivate mutating func write(_ progress: Progress) {
        write(progress.ballot)
        write(progress.chosenThrough)
        write(progress.recoveredThrough)
        write(progress.abandonedThrough)
        writeVarint(progress.chosenBeyond)
        writeVarint(progress.backlog)
    }

    fileprivate mutating func write(_ batch: BatchOutline) {
        writeVarint(batch.number)
        writeVarint(UInt64(batch.commands.count))
        for outline in batch.commands { write(outline) }
    }
}

extension ByteReader {
    package mutating func readSlot() throws(MalformedBytes) -> Slot {
        let number = try readVarint()
        guard number <= Limits.highestSlot else { throw MalformedBytes("a slot too high") }
        return Slot(number)
    }

    package mutating func readBallot() throws(MalformedBytes) -> Ballot {
        let round = try readVarint()
        let replica = ReplicaID(try read())
        let attempt = try readVarint()
        guard round <= Limits.highestSlot, attempt <= UInt64(UInt32.max) else {
            throw MalformedBytes("a ballot too high")
        }
        return Ballot(round: round, replica: replica, attempt: UInt32(attempt))
    }

    package mutating func readAccepted() throws(MalformedBytes) -> Accepted {
        Accepted(ballot: try readBallot(), entry: try readEntry())
    }

    fileprivate mutating func readEntry() throws(MalformedBytes) -> Entry {
        try Entry(encoded: Array(try readPrefixed()))
    }

    fileprivate mutating func readProgress() throws(MalformedBytes) -> Progress {
        Progress(
            ballot: try readBallot(), chosenThrough: try readSlot(),
            recoveredThrough: try readSlot(), abandonedThrough: try readSlot(),
            chosenBeyond: try readVarint(), backlog: try readVarint())
    }

    fileprivate mutating func readConflict() throws(MalformedBytes) -> ReadConflict {
        let word = try readVarint()
        guard word >> 1 <= UInt64(Limits.pendingReads) else {
            throw MalformedBytes("a conflict of a read that cannot be")
        }
        return ReadConflict(read: Int(word >> 1), slot: try readSlot(), isVague: word & 1 == 1)
    }

    fileprivate mutating func readBatch() throws(MalformedBytes) -> BatchOutline {
        let number = try readVarint()
        var commands: [Outline] = []
        for _ in 0..<(try readCount()) { commands.append(try readOutline()) }
        guard number > 0, !commands.isEmpty, commands.count <= Limits.entryCommands else {
            throw MalformedBytes("a batch out of range")
        }
        return BatchOutline(number: number, commands: commands)
    }

    fileprivate mutating func readPromise() throws(MalformedBytes) -> Promise {
        let ballot = try readBallot()
        let chosenThrough = try readSlot()
        var accepted: [SlotAccepted] = []
        for _ in 0..<(try readCount()) {
            let slot = try readSlot()
            guard slot > chosenThrough, slot > (accepted.last?.slot ?? .zero) else {
                throw MalformedBytes("a promise with slots out of order")
            }
            // An acceptor misses no more slots than it keeps ahead. Recovery goes through all
            // slots up to the last one, so a forged slot must not make that a long way.
            let missing = slot.distance(from: chosenThrough) - accepted.count - 1
            guard missing <= Limits.acceptAhead else {
                throw MalformedBytes("a promise with too many slots missing")
            }
            accepted.append(SlotAccepted(slot: slot, accepted: try readAccepted()))
        }
        return Promise(ballot: ballot, chosenThrough: chosenThrough, accepted: accepted)
    }
}
