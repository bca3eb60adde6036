import SynodBytes

/// The steps that a partial order has taken, numbered by their calls.
///
/// Since none can be far ahead of one that is still missing, all but a few words in the middle are
/// full or empty, and only those few are worth comparing and keeping.
struct LinearizedSet {
    private(set) var words: [UInt64]
    /// Of the members, independent of their order; changes by one exclusive or.
    private(set) var hash: UInt64 = 0
    /// All words before are full.
    private(set) var firstOpen = 0
    /// All words from here on are empty.
    private(set) var end = 0

    init(count: Int) {
        words = Array(repeating: 0, count: count / 64 + 1)
    }

    mutating func insert(_ number: Int) {
        words[number >> 6] |= 1 << UInt64(number & 63)
        hash ^= mix64(UInt64(number) + 1)
        end = max(end, number >> 6 + 1)
        while words[firstOpen] == .max { firstOpen += 1 }
    }

    func contains(_ number: Int) -> Bool { words[number >> 6] & (1 << UInt64(number & 63)) != 0 }

    mutating func remove(_ number: Int) {
        words[number >> 6] &= ~(1 << UInt64(number & 63))
        hash ^= mix64(UInt64(number) + 1)
        firstOpen = min(firstOpen, number >> 6)
        while end > 0, words[end - 1] == 0 { end -= 1 }
    }

    /// The words that are neither before the first open one nor empty to the end.
    var window: Range<Int> { firstOpen..<max(firstOpen, end) }
}
