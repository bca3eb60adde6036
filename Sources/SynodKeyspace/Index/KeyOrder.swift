import SynodBytes

/// The keys in order, in chunks of at most ``chunkCapacity`` with the number of live keys beside
/// each, so that counting a range touches only its two ends.
package struct KeyOrder {
    package struct Chunk {
        package var ids: [KeyID] = []
        var liveCount = 0
    }

    /// Where a key is or would be: never behind the last key of a chunk.
    package struct Position: Equatable {
        var chunk: Int
        var offset: Int
    }

    package static let chunkCapacity = 512

    package private(set) var chunks: [Chunk] = []

    package init() {}

    package var end: Position { Position(chunk: chunks.count, offset: 0) }

    /// The first position whose key is not less than `key`.
    package func lowerBound(_ key: ArraySlice<UInt8>, in slab: KeySlab) -> Position {
        key.withUnsafeBytes { lowerBound($0, in: slab) }
    }

    private func lowerBound(_ key: UnsafeRawBufferPointer, in slab: KeySlab) -> Position {
        func isLess(_ id: KeyID) -> Bool {
            slab[id].key.withUnsafeBytes { byteOrder($0, key) < 0 }
        }
        // The chunk before the first that begins at or behind the key may hold it.
        var low = 0
        var high = chunks.count
        while low < high {
            let middle = (low + high) / 2
            if isLess(chunks[middle].ids[0]) { low = middle + 1 } else { high = middle }
        }
        if low == 0 { return Position(chunk: 0, offset: 0) }
        let chunk = low - 1
        low = 1
        high = chunks[chunk].ids.count
        while low < high {
            let middle = (low + high) / 2
            if isLess(chunks[chunk].ids[middle]) { low = middle + 1 } else { high = middle }
        }
        return normalized(Position(chunk: chunk, offset: low))
    }

    package subscript(position: Position) -> KeyID {
        chunks[position.chunk].ids[position.offset]
    }

    package func next(after position: Position) -> Position {
        normalized(Position(chunk: position.chunk, offset: position.offset + 1))
    }

    private func normalized(_ position: Position) -> Position {
        position.chunk < chunks.count && position.offset == chunks[position.chunk].ids.count
            ? Position(chunk: position.chunk + 1, offset: 0) : position
    }

    /// Live keys between two positions.
    package func liveCount(from lower: Position, to upper: Position, in slab: KeySlab) -> Int {
        func count(_ chunk: Int, _ offsets: Range<Int>) -> Int {
            offsets.count { slab[chunks[chunk].ids[$0]].isLive }
        }
        guard lower.chunk < chunks.count else { return 0 }
        if lower.chunk == upper.chunk {
            return lower.offset < upper.offset
                ? count(lower.chunk, lower.offset..<upper.offset) : 0
        }
        guard lower.chunk < upper.chunk else { return 0 }
        var sum = chunks[lower.chunk].liveCount - count(lower.chunk, 0..<lower.offset)
        for chunk in lower.chunk + 1..<upper.chunk { sum += chunks[chunk].liveCount }
        if upper.chunk < chunks.count { sum += count(upper.chunk, 0..<upper.offset) }
        return sum
    }

    /// Adds a key, not counted as live yet, before the position that ``lowerBound(_:in:)`` gave.
    /// Returns where it is now.
    package mutating func insert(_ id: KeyID, at position: Position, in slab: KeySlab) -> Position {
        var place = position
        if place.offset == 0 && place.chunk > 0 {
            // The start of a chunk is as well the end of the one before it.
            place.chunk -= 1
            place.offset = chunks[place.chunk].ids.count
        }
        let isLast = place.chunk + 1 >= chunks.count
        if chunks.isEmpty || isLast && place.offset == Self.chunkCapacity {
            // Keys that arrive in order leave full chunks behind.
            chunks.append(Chunk(ids: [id]))
            return Position(chunk: chunks.count - 1, offset: 0)
        }
        if chunks[place.chunk].ids.count == Self.chunkCapacity {
            split(place.chunk, in: slab)
            if place.offset > chunks[place.chunk].ids.count {
                place.offset -= chunks[place.chunk].ids.count
                place.chunk += 1
            }
        }
        chunks[place.chunk].ids.insert(id, at: place.offset)
        return place
    }

    private mutating func split(_ chunk: Int, in slab: KeySlab) {
        let half = chunks[chunk].ids.count / 2
        let upper = Array(chunks[chunk].ids[half...])
        let upperLive = upper.count { slab[$0].isLive }
        chunks[chunk].ids.removeSubrange(half...)
        chunks[chunk].liveCount -= upperLive
        chunks.insert(Chunk(ids: upper, liveCount: upperLive), at: chunk + 1)
    }

    /// Removes a key that is not counted as live.
    package mutating func remove(at position: Position) {
        chunks[position.chunk].ids.remove(at: position.offset)
        if chunks[position.chunk].ids.isEmpty {
            chunks.remove(at: position.chunk)
        } else if position.chunk + 1 < chunks.count,
            chunks[position.chunk].ids.count + chunks[position.chunk + 1].ids.count
                <= Self.chunkCapacity / 4
        {
            let next = chunks.remove(at: position.chunk + 1)
            chunks[position.chunk].ids += next.ids
            chunks[position.chunk].liveCount += next.liveCount
        }
    }

    package mutating func addLive(_ change: Int, at position: Position) {
        chunks[position.chunk].liveCount += change
    }
}
