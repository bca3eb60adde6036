/// A small pseudo-random generator whose numbers never change between Swift versions or
/// platforms: xoshiro256**, seeded through splitmix64 (Blackman and Vigna, 2018).
///
/// The core takes chance as an input; a seed is that input.
package struct PRNG: Sendable, Hashable {
    private var state: (UInt64, UInt64, UInt64, UInt64) {
        get { (s0, s1, s2, s3) }
        set { (s0, s1, s2, s3) = newValue }
    }
    private var s0: UInt64 = 0
    private var s1: UInt64 = 0
    private var s2: UInt64 = 0
    private var s3: UInt64 = 0

    package init(seed: UInt64) {
        var mixer = seed
        func next() -> UInt64 {
            mixer &+= 0x9e37_79b9_7f4a_7c15
            return mix64(mixer)
        }
        state = (next(), next(), next(), next())
    }

    package mutating func next() -> UInt64 {
        let product = s1 &* 5
        let result = ((product << 7) | (product >> 57)) &* 9
        let shifted = s1 << 17
        s2 ^= s0
        s3 ^= s1
        s1 ^= s2
        s0 ^= s3
        s2 ^= shifted
        s3 = (s3 << 45) | (s3 >> 19)
        return result
    }

    /// A number in `0..<bound`, without modulo bias worth mentioning (multiply and shift).
    package mutating func below(_ bound: UInt64) -> UInt64 {
        precondition(bound > 0, "A bound leaves at least one number to draw.")
        return next().multipliedFullWidth(by: bound).high
    }

    /// A number in the closed range.
    package mutating func within(_ range: ClosedRange<Int64>) -> Int64 {
        range.lowerBound + Int64(below(UInt64(range.upperBound - range.lowerBound) + 1))
    }

    /// True `numerator` times out of `denominator`.
    package mutating func chance(_ numerator: UInt64, in denominator: UInt64) -> Bool {
        below(denominator) < numerator
    }

    /// An independent generator, so that an extra draw here shifts nothing there.
    package mutating func fork() -> PRNG {
        PRNG(seed: next())
    }
}

/// A bijective mixing of 64 bits (splitmix64's finalizer): spreads nearby numbers.
@inlinable
package func mix64(_ value: UInt64) -> UInt64 {
    var mixed = value
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
}

/// A 64-bit hash of a byte string that is the same everywhere and always (FNV-1a, then mixed):
/// for footprints and identities, not for hostile input.
@inlinable
package func stableHash(_ bytes: some Sequence<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    return mix64(hash)
}
