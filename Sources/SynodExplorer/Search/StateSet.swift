import SynodBytes

/// The states seen so far: whole words, not digests of them, so that two of them can never be taken
/// for one.
///
/// The set is split into segments that grow on their own and by half, so that growing takes little
/// more memory than the states themselves: 9 to 13 bytes each.
struct StateSet {
    private var segments: [[UInt64]]
    private var counts: [Int]
    private(set) var count = 0

    private static let segmentBits = 10

    init() {
        segments = Array(
            repeating: Array(repeating: 0, count: 64), count: 1 << Self.segmentBits)
        counts = Array(repeating: 0, count: 1 << Self.segmentBits)
    }

    /// Adds a state below 2^64 - 1; false if it is there already.
    mutating func insert(_ state: UInt64) -> Bool {
        let mixed = mix64(state)
        let segment = Int(truncatingIfNeeded: mixed >> UInt64(64 - Self.segmentBits))
        guard Self.add(state + 1, mixed, to: &segments[segment]) else { return false }
        count += 1
        counts[segment] += 1
        if counts[segment] * 8 > segments[segment].count * 7 { grow(segment) }
        return true
    }

    /// Zero marks an empty place.
    private static func add(_ word: UInt64, _ mixed: UInt64, to places: inout [UInt64]) -> Bool {
        places.withUnsafeMutableBufferPointer { places in
            let count = places.count
            // The lower half of the mixed bits, scaled to the number of places.
            var place = Int(truncatingIfNeeded: ((mixed & 0xffff_ffff) &* UInt64(count)) >> 32)
            while places[place] != 0 {
                if places[place] == word { return false }
                place += 1
                if place == count { place = 0 }
            }
            places[place] = word
            return true
        }
    }

    private mutating func grow(_ segment: Int) {
        let old = segments[segment]
        var new = [UInt64](repeating: 0, count: old.count * 3 / 2)
        for word in old where word != 0 { _ = Self.add(word, mix64(word - 1), to: &new) }
        segments[segment] = new
    }
}
