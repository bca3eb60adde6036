package import SynodBytes

/// What a read asks for.
package enum ReadScope: Hashable, Sendable {
    /// One key, as the last write to it has left it.
    case key(ArraySlice<UInt8>)
    /// The keys of one range, all as they were at one moment.
    case range(KeySpan)
    /// Keys and ranges of keys, all as they were at one moment.
    case spans([KeySpan])
    /// Whatever there is.
    case everything

    fileprivate var spans: [KeySpan]? {
        switch self {
        case .key(let key): [KeySpan(key)]
        case .range(let span): [span]
        case .spans(let spans): spans
        case .everything: nil
        }
    }

    var byteCount: Int {
        switch self {
        case .key(let key): 8 + KeySpan(key).byteCount
        case .range(let span): 8 + span.byteCount
        case .spans(let spans): spans.reduce(8) { $0 + $1.byteCount }
        case .everything: 8
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
    /// Whether a command may do so, and it is not known which: so everything through the slot has to
    /// be executed.
    package let isVague: Bool

    package init(read: Int, slot: Slot, isVague: Bool = false) {
        self.read = read
        self.slot = slot
        self.isVague = isVague
    }
}

/// Finds the last of some slots in which what each read asks for is touched.
struct ReadConflictFinder {
    /// Reads of single keys.
    private var points: [Key: [Int]] = [:]
    /// The same keys in order; nil until a range is touched.
    private var orderedPoints: SpanIndex<Key>?
    /// Reads of other keys.
    private var ranges = SpanIndex<Int>()
    /// Reads of everything.
    private var general: [Int] = []
    /// By read.
    private var last: [Slot]
    /// The last slot in which any key may be touched.
    private var lastVague = Slot.zero

    init(_ scopes: ReadScopes) {
        last = Array(repeating: .zero, count: scopes.count)
        var others: [(span: KeySpan, value: Int)] = []
        for (read, spans) in scopes.spans.enumerated() {
            guard let spans else {
                general.append(read)
                continue
            }
            if spans.count == 1, spans[0].isPoint {
                points[Key(spans[0].lower), default: []].append(read)
            } else {
                others += spans.map { ($0, read) }
            }
        }
        if !others.isEmpty { ranges = SpanIndex(others) }
    }

    mutating func add(_ entry: Entry, in slot: Slot) {
        guard !entry.isNoop else { return }
        entry.forEachCommand { command in
            if let spans = command.footprint.spans(in: command.payload) {
                for span in spans { add(span, in: slot) }
            } else {
                for read in last.indices { note(slot, of: read) }
            }
        }
    }

    /// What a stamp tells of a slot whose entry is missing here; nil: it may touch any key.
    mutating func add(_ spans: [KeySpan]?, in slot: Slot) {
        guard let spans else { return lastVague = max(lastVague, slot) }
        for span in spans { add(span, in: slot) }
    }

    private mutating func add(_ span: KeySpan, in slot: Slot) {
        var touched = general
        if span.isPoint {
            touched += points[Key(span.lower)] ?? []
        } else if !points.isEmpty {
            orderPoints()
            orderedPoints!.forEach(overlapping: span) { touched += points[$0]! }
        }
        ranges.forEach(overlapping: span) { touched.append($0) }
        for read in touched { note(slot, of: read) }
    }

    private mutating func orderPoints() {
        guard orderedPoints == nil else { return }
        orderedPoints = SpanIndex(points.keys.map { (KeySpan($0.bytes[...]), $0) })
    }

    private mutating func note(_ slot: Slot, of read: Int) { last[read] = max(last[read], slot) }

    var conflicts: [ReadConflict] {
        var conflicts: [ReadConflict] = []
        for (read, slot) in last.enumerated() {
            if slot > .zero { conflicts.append(ReadConflict(read: read, slot: slot)) }
            if lastVague > .zero {
                conflicts.append(ReadConflict(read: read, slot: lastVague, isVague: true))
            }
        }
        return conflicts
    }
}
