/// A set of the numbers below a bound, one bit for each.
struct BitSet {
    private(set) var words: [UInt64]

    init(count: Int) {
        words = Array(repeating: 0, count: (count + 63) / 64)
    }

    subscript(_ number: Int) -> Bool {
        get { words[number >> 6] & Self.bit(number) != 0 }
        set {
            if newValue {
                words[number >> 6] |= Self.bit(number)
            } else {
                words[number >> 6] &= ~Self.bit(number)
            }
        }
    }

    /// The members in a range, ascending.
    func members(in range: Range<Int>) -> [Int] {
        var members: [Int] = []
        var number = range.lowerBound
        while number < range.upperBound {
            let rest = words[number >> 6] >> UInt64(number & 63)
            guard rest != 0 else {
                number = (number | 63) + 1
                continue
            }
            number += rest.trailingZeroBitCount
            if number < range.upperBound { members.append(number) }
            number += 1
        }
        return members
    }

    private static func bit(_ number: Int) -> UInt64 { 1 << UInt64(number & 63) }
}
