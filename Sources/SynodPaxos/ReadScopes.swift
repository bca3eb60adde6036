package import SynodBytes

/// What a read asks for.
package enum ReadScope: Hashable, Sendable {
    /// One key, as the last write to it has left it.
    case key(ArraySlice<UInt8>)
    /// Keys and ranges of keys, all as they were at one moment.
    case spans([KeySpan])
    /// Whatever there is.
    case everything

    fileprivate var spans: [KeySpan]? {
        switch self {
        case .key(let key): [KeySpan(key)]
        case .spans(let spans): spans
        case .everything: nil
        }
    }
}

/// What the reads of one round ask for, in their order: as bytes, which an acceptor that has
/// nothing under way passes over.
package struct ReadScopes: Hashable, Sendable {
    package let count: Int
    package let encoded: Bytes

    package init(_ scopes: [ReadScope]) {
        count = scopes.count
        var writer = ByteWriter(capacity: 24 * scopes.count)
        for scope in scopes { writer.write(Outline(isCertain: false, spans: scope.spans)) }
        encoded = writer.bytes
    }

    init(count: Int, encoded: Bytes) {
        self.count = count
        self.encoded = encoded
    }

    /// By read; nil: everything. What cannot be read asks for everything.
    fileprivate var spans: [[KeySpan]?] {
        var reader = ByteReader(encoded)
        return (0..<count).map { _ in
            do throws(MalformedBytes) {
                return try reader.readOutline().spans
            } catch {
                return nil
            }
        }
    }
}

/// A read must wait for a slot.
package struct ReadConflict: Hashable, Sendable {
    /// Its place in the round.
    package let read: Int
    /// The last slot with a command that touches what it asks for.
    package let slot: Slot

    package init(read: Int, slot: Slot) {
        self.read = read
        self.slot = slot
    }
}

/// Finds the last of some entries that touches what each read asks for.
struct ReadConflictFinder {
    /// Reads of single keys.
    private var points: [Key: [Int]] = [:]
    /// Other reads; nil: everything.
    private var others: [(read: Int, spans: [KeySpan]?)] = []
    /// By read.
    private var last: [Slot]

    init(_ scopes: ReadScopes) {
        last = Array(repeating: .zero, count: scopes.count)
        for (read, spans) in scopes.spans.enumerated() {
            if let spans, spans.count == 1, spans[0].isPoint {
                points[Key(spans[0].lower), default: []].append(read)
            } else {
                others.append((read, spans))
            }
        }
    }

    /// Entries are added in the order of their slots.
    mutating func add(_ entry: Entry, in slot: Slot) {
        guard !entry.isNoop else { return }
        for (read, spans) in others where spans == nil { last[read] = slot }
        entry.forEachCommand { command in
            guard let spans = command.footprint.spans(in: command.payload) else {
                for read in last.indices { last[read] = slot }
                return
            }
            for span in spans { add(span, in: slot) }
        }
    }

    private mutating func add(_ span: KeySpan, in slot: Slot) {
        if span.isPoint {
            for read in points[Key(span.lower)] ?? [] { last[read] = slot }
        } else {
            for (key, reads) in points where span.overlaps(KeySpan(key.bytes[...])) {
                for read in reads { last[read] = slot }
            }
        }
        for (read, spans) in others where last[read] < slot {
            if spans?.contains(where: { $0.overlaps(span) }) ?? true { last[read] = slot }
        }
    }

    var conflicts: [ReadConflict] {
        last.indices.lazy.filter { last[$0] > .zero }.map { ReadConflict(read: $0, slot: last[$0]) }
    }
}
