import SynodBytes

/// The keys that a command touches, by their places in its payload: all that consensus ever learns
/// of a command's meaning. Two commands whose footprints do not overlap commute.
package enum Footprint: Hashable, Sendable {
    /// Exactly one key: most commands.
    case key(Piece)
    /// Several keys, or ranges of them.
    case parts([Part])
    /// A *barrier*: the command may touch any key.
    case everything

    /// Bytes of the payload.
    package struct Piece: Hashable, Sendable {
        package let offset: UInt32
        package let count: UInt32

        package init(offset: UInt32, count: UInt32) {
            self.offset = offset
            self.count = count
        }

        /// The place of bytes that were cut out of a payload that begins at index zero.
        package init(_ slice: ArraySlice<UInt8>) {
            offset = UInt32(slice.startIndex)
            count = UInt32(slice.count)
        }

        func bytes(of payload: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
            let start = payload.startIndex + Int(offset)
            return payload[start..<start + Int(count)]
        }

        /// The number of bytes that the payload has at least.
        var extent: Int { Int(offset) + Int(count) }
    }

    /// One key, or a range of them.
    package struct Part: Hashable, Sendable {
        package enum Upper: Hashable, Sendable {
            case point
            case open
            case below(Piece)
        }

        package let lower: Piece
        package let upper: Upper

        package init(_ lower: Piece, _ upper: Upper = .point) {
            self.lower = lower
            self.upper = upper
        }

        func span(in payload: ArraySlice<UInt8>) -> KeySpan {
            let upper: KeySpan.Upper =
                switch upper {
                case .point: .point
                case .open: .open
                case .below(let end): .below(end.bytes(of: payload))
                }
            return KeySpan(lower.bytes(of: payload), upper)
        }

        var extent: Int {
            if case .below(let end) = upper { max(lower.extent, end.extent) } else { lower.extent }
        }
    }

    /// Keys of a payload that begins at index zero, as slices of it.
    package init(_ spans: [KeySpan]) {
        if spans.count == 1, spans[0].isPoint {
            self = .key(Piece(spans[0].lower))
            return
        }
        self = .parts(
            spans.map { span in
                switch span.upper {
                case .point: Part(Piece(span.lower))
                case .open: Part(Piece(span.lower), .open)
                case .below(let end): Part(Piece(span.lower), .below(Piece(end)))
                }
            })
    }

    /// The keys themselves; nil: it may be any.
    package func spans(in payload: ArraySlice<UInt8>) -> [KeySpan]? {
        switch self {
        case .key(let piece): [KeySpan(piece.bytes(of: payload))]
        case .parts(let parts): parts.map { $0.span(in: payload) }
        case .everything: nil
        }
    }

    /// The number of bytes that the payload has at least.
    var extent: Int {
        switch self {
        case .key(let piece): piece.extent
        case .parts(let parts): parts.reduce(0) { max($0, $1.extent) }
        case .everything: 0
        }
    }

    var partCount: Int {
        switch self {
        case .key: 1
        case .parts(let parts): parts.count
        case .everything: 0
        }
    }
}

// As bytes: the number of parts plus one (0: everything), twice, plus one if the command is
// certain; then for each part its place, and its kind in the lowest bits of its length.
extension ByteWriter {
    mutating func write(_ footprint: Footprint, isCertain: Bool) {
        let certain: UInt64 = isCertain ? 1 : 0
        switch footprint {
        case .everything: writeVarint(certain)
        case .key(let piece):
            writeVarint(4 | certain)
            write(piece, kind: 0)
        case .parts(let parts):
            writeVarint(UInt64(parts.count + 1) << 1 | certain)
            for part in parts {
                switch part.upper {
                case .point: write(part.lower, kind: 0)
                case .open: write(part.lower, kind: 1)
                case .below(let end):
                    write(part.lower, kind: 2)
                    write(end, kind: 0)
                }
            }
        }
    }

    private mutating func write(_ piece: Footprint.Piece, kind: UInt64) {
        writeVarint(UInt64(piece.offset))
        writeVarint(UInt64(piece.count) << 2 | kind)
    }
}

extension ByteReader {
    mutating func readFootprint() throws(MalformedBytes) -> (footprint: Footprint, isCertain: Bool)
    {
        let head = try readFootprintHead()
        guard let count = head.count else { return (.everything, head.isCertain) }
        var parts: [Footprint.Part] = []
        for _ in 0..<count { parts.append(try readPart()) }
        if count == 1, parts[0].upper == .point { return (.key(parts[0].lower), head.isCertain) }
        return (.parts(parts), head.isCertain)
    }

    /// Reads a footprint through and keeps only how far into its payload it reaches.
    mutating func skipFootprint() throws(MalformedBytes) -> (isCertain: Bool, extent: Int) {
        let head = try readFootprintHead()
        var extent = 0
        for _ in 0..<(head.count ?? 0) { extent = max(extent, try readPart().extent) }
        return (head.isCertain, extent)
    }

    private mutating func readFootprintHead() throws(MalformedBytes) -> (
        count: Int?, isCertain: Bool
    ) {
        let head = try readVarint()
        let isCertain = head & 1 == 1
        let announced = head >> 1
        guard announced > 0 else { return (nil, isCertain) }
        guard announced - 1 <= UInt64(remaining) / 2 else {
            throw MalformedBytes("a footprint is cut off")
        }
        return (Int(announced) - 1, isCertain)
    }

    private mutating func readPart() throws(MalformedBytes) -> Footprint.Part {
        let (lower, kind) = try readPiece()
        switch kind {
        case 0: return Footprint.Part(lower)
        case 1: return Footprint.Part(lower, .open)
        case 2:
            let (end, kind) = try readPiece()
            guard kind == 0 else { throw MalformedBytes("a range with two ends") }
            return Footprint.Part(lower, .below(end))
        default: throw MalformedBytes("a part of a footprint of unknown kind")
        }
    }

    private mutating func readPiece() throws(MalformedBytes) -> (Footprint.Piece, UInt64) {
        let offset = try readVarint()
        let word = try readVarint()
        guard offset <= UInt64(Limits.commandBytes), word >> 2 <= UInt64(Limits.commandBytes) else {
            throw MalformedBytes("a footprint beyond its command")
        }
        return (Footprint.Piece(offset: UInt32(offset), count: UInt32(word >> 2)), word & 3)
    }
}
