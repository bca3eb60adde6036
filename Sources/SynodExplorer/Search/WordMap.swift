import SynodBytes

/// A map from words to small numbers: open addressing without tombstones, for what is looked up
/// hundreds of millions of times.
struct WordMap {
    private var keys: [UInt64]
    private var values: [UInt32]
    private var mask: Int
    private(set) var count = 0

    /// No key is this word.
    private static let empty = UInt64.max

    init() {
        mask = 1 << 10 - 1
        keys = Array(repeating: Self.empty, count: mask + 1)
        values = Array(repeating: 0, count: mask + 1)
    }

    subscript(key: UInt64) -> UInt32? {
        var place = Int(truncatingIfNeeded: mix64(key)) & mask
        while keys[place] != Self.empty {
            if keys[place] == key { return values[place] }
            place = (place + 1) & mask
        }
        return nil
    }

    /// Adds a key that is not there.
    mutating func add(_ key: UInt64, _ value: UInt32) {
        if count * 8 >= keys.count * 5 { grow() }
        count += 1
        put(key, value)
    }

    private mutating func put(_ key: UInt64, _ value: UInt32) {
        var place = Int(truncatingIfNeeded: mix64(key)) & mask
        while keys[place] != Self.empty { place = (place + 1) & mask }
        keys[place] = key
        values[place] = value
    }

    private mutating func grow() {
        let old = (keys, values)
        mask = keys.count * 2 - 1
        keys = Array(repeating: Self.empty, count: mask + 1)
        values = Array(repeating: 0, count: mask + 1)
        for (index, key) in old.0.enumerated() where key != Self.empty { put(key, old.1[index]) }
    }

    /// Two numbers as one key.
    static func pair(_ one: Int32, _ other: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: one)) << 32 | UInt64(UInt32(bitPattern: other))
    }
}
