/// The Huffman code of header strings (RFC 7541, section 5.2 and appendix B).
///
/// The code is canonical: codes of one length are consecutive numbers in the order of their
/// symbols, and every length goes on where the shorter one ended. So the lengths tell all of it.
package struct HuffmanCode: Sendable {
    package static let header = HuffmanCode(lengths: headerLengths)

    /// The codes that are no longer than a byte, which are those of most text, by the byte that
    /// they begin: the symbol, and the length of its code; the length is 0 where a code is longer.
    private var short = [(symbol: UInt8, length: UInt8)](repeating: (0, 0), count: 256)
    private var long: [Group] = []
    /// The symbols in the order of their codes.
    private var symbols: [UInt16]

    /// The codes of one length.
    private struct Group {
        let length: Int
        /// The first code that is beyond this length's, at the upper end of 32 bits.
        let limit: UInt32
        let firstCode: UInt32
        let firstIndex: Int
    }

    private static let endOfString: UInt16 = 256

    private init(lengths: [UInt8]) {
        symbols = (0..<UInt16(lengths.count)).sorted {
            (lengths[Int($0)], $0) < (lengths[Int($1)], $1)
        }
        var code: UInt32 = 0
        var length = 0
        for (index, symbol) in symbols.enumerated() {
            if Int(lengths[Int(symbol)]) != length {
                code <<= UInt32(Int(lengths[Int(symbol)]) - length)
                length = Int(lengths[Int(symbol)])
                let last = index + lengths.count { Int($0) == length } - 1
                let end = UInt64(code) + UInt64(last - index) + 1
                long.append(
                    Group(
                        length: length, limit: UInt32(min(end << UInt64(32 - length), 0xffff_ffff)),
                        firstCode: code, firstIndex: index))
            }
            if length <= 8 {
                let first = Int(code) << (8 - length)
                for byte in first..<first + 1 << (8 - length) {
                    short[byte] = (UInt8(symbol), UInt8(length))
                }
            }
            code += 1
        }
        long.removeAll { $0.length <= 8 }
    }

    /// Appends the text of an encoded string, and says whether the string is valid and its text no
    /// longer than `limit`.
    package func decode(
        _ bytes: Span<UInt8>, _ range: Range<Int>, into text: inout [UInt8], limit: Int
    ) -> Bool {
        let end = text.count + limit
        var next = range.lowerBound
        // The bits that are not decoded yet are the lower `bitCount` ones.
        var bits: UInt64 = 0
        var bitCount = 0
        while true {
            while bitCount <= 32, next < range.upperBound {
                bits = bits << 8 | UInt64(bytes[next])
                bitCount += 8
                next += 1
            }
            let window = Self.window(bits, bitCount)
            guard let (symbol, length) = first(of: window), length <= bitCount else {
                // Fewer than eight bits, all of them ones, fill the last byte.
                return bitCount < 8 && window == .max
            }
            guard symbol != Self.endOfString, text.count < end else { return false }
            text.append(UInt8(symbol))
            bitCount -= length
        }
    }

    /// The next 32 bits; ones follow the end of the string.
    private static func window(_ bits: UInt64, _ bitCount: Int) -> UInt32 {
        bitCount >= 32
            ? UInt32(truncatingIfNeeded: bits >> UInt64(bitCount - 32))
            : UInt32(truncatingIfNeeded: bits << UInt64(32 - bitCount))
                | UInt32(truncatingIfNeeded: UInt64(0xffff_ffff) >> UInt64(bitCount))
    }

    private func first(of window: UInt32) -> (symbol: UInt16, length: Int)? {
        let found = short[Int(window >> 24)]
        if found.length > 0 { return (UInt16(found.symbol), Int(found.length)) }
        for group in long where window < group.limit || group.limit == .max {
            let code = window >> UInt32(32 - group.length)
            return (symbols[group.firstIndex + Int(code - group.firstCode)], group.length)
        }
        return nil
    }
}

/// The lengths of the codes of the 256 bytes and of the end of the string, in bits.
private let headerLengths: [UInt8] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28,
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6,
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7,
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5,
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23,
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25,
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
    30,
]
