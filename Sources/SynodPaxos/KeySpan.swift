package import SynodBytes

/// One key, or every key from one on, up to another or to the last.
package struct KeySpan: Hashable, Sendable {
    package enum Upper: Hashable, Sendable {
        /// Only the key itself.
        case point
        /// Every key from the lower end on.
        case open
        /// Keys less than this one.
        case below(ArraySlice<UInt8>)
    }

    package let lower: ArraySlice<UInt8>
    package let upper: Upper

    package init(_ lower: ArraySlice<UInt8>, _ upper: Upper = .point) {
        self.lower = lower
        self.upper = upper
    }

    package var isPoint: Bool { upper == .point }

    /// Upper bound of the bytes that it takes, but for lengths of lengths.
    var byteCount: Int {
        if case .below(let end) = upper { return 3 + lower.count + end.count }
        return 2 + lower.count
    }

    package func overlaps(_ other: KeySpan) -> Bool {
        if isPoint && other.isPoint { return lower == other.lower }
        return reaches(other.lower) && other.reaches(lower)
    }

    /// Whether the span ends at the key or behind it.
    func reaches(_ key: ArraySlice<UInt8>) -> Bool {
        switch upper {
        case .point: !lower.lexicographicallyPrecedes(key)
        case .open: true
        case .below(let end): key.lexicographicallyPrecedes(end)
        }
    }
}

extension KeySpan {
    /// Whether there are keys that the other one reaches and this one does not, leaving out where they
    /// begin.
    func ends(before other: KeySpan) -> Bool {
        switch (upper, other.upper) {
        case (.open, _): false
        case (_, .open): true
        case (.point, .point): lower.lexicographicallyPrecedes(other.lower)
        case (.point, .below(let end)): lower.lexicographicallyPrecedes(end)
        case (.below(let end), .point): !other.lower.lexicographicallyPrecedes(end)
        case (.below(let end), .below(let otherEnd)): end.lexicographicallyPrecedes(otherEnd)
        }
    }
}

/// A key in a hash table; hashed as a whole, and not byte by byte.
struct Key: Hashable, Sendable {
    let bytes: Bytes

    init(_ slice: ArraySlice<UInt8>) { bytes = Bytes(slice) }

    func hash(into hasher: inout Hasher) {
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}

/// What the leader is told of a command whose payload it does not get.
package struct Outline: Hashable, Sendable {
    /// Whether the command always takes one revision: see ``Command/isCertain``.
    package let isCertain: Bool
    /// The keys that the command touches; nil: it may touch any.
    package let spans: [KeySpan]?

    package init(isCertain: Bool, spans: [KeySpan]?) {
        self.isCertain = isCertain
        self.spans = spans
    }
}

extension ByteWriter {
    package mutating func write(_ span: KeySpan) {
        let kind: UInt8 =
            switch span.upper {
            case .point: 0
            case .open: 1
            case .below: 2
            }
        write(kind)
        writePrefixed(span.lower)
        if case .below(let end) = span.upper { writePrefixed(end) }
    }

    package mutating func write(_ outline: Outline) {
        let count = outline.spans.map { UInt64($0.count) + 1 } ?? 0
        writeVarint(count << 1 | (outline.isCertain ? 1 : 0))
        for span in outline.spans ?? [] { write(span) }
    }
}

extension ByteReader {
    package mutating func readSpan() throws(MalformedBytes) -> KeySpan {
        let kind = try read(UInt8.self)
        let lower = try readPrefixed()
        switch kind {
        case 0: return KeySpan(lower)
        case 1: return KeySpan(lower, .open)
        case 2: return KeySpan(lower, .below(try readPrefixed()))
        default: throw MalformedBytes("a span of unknown kind \(kind)")
        }
    }

    package mutating func readOutline() throws(MalformedBytes) -> Outline {
        let head = try readVarint()
        let isCertain = head & 1 == 1
        guard head >> 1 > 0 else { return Outline(isCertain: isCertain, spans: nil) }
        let count = head >> 1 - 1
        guard count <= UInt64(remaining) else { throw MalformedBytes("an outline is cut off") }
        var spans: [KeySpan] = []
        for _ in 0..<count { spans.append(try readSpan()) }
        return Outline(isCertain: isCertain, spans: spans)
    }
}
