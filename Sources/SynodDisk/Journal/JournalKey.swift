import SynodBytes
import SynodStorage

/// A key as the index of a ``Journal`` holds it: one of up to 16 bytes, as all keys of the log are,
/// lies in the index itself and needs no memory of its own.
struct JournalKey: Sendable, Comparable {
    private static let inlineCapacity = 16

    /// The first eight bytes and the eight behind them as big-endian numbers, zeros where the key
    /// has ended: comparing them compares the bytes.
    private let head: UInt64
    private let tail: UInt64
    let count: Int
    /// The whole key if it is longer than that.
    private let long: Bytes?

    init(_ raw: UnsafeRawBufferPointer) {
        head = Self.word(raw, at: 0)
        tail = Self.word(raw, at: 8)
        count = raw.count
        long = raw.count > Self.inlineCapacity ? Bytes(raw) : nil
    }

    init(_ bytes: Bytes) {
        self = bytes.withUnsafeBytes { JournalKey($0) }
    }

    static func == (left: JournalKey, right: JournalKey) -> Bool {
        left.head == right.head && left.tail == right.tail && left.count == right.count
            && left.long == right.long
    }

    /// The order of a store: as unsigned bytes, a prefix before what it begins.
    ///
    /// If the words are equal and one of the keys lies within them, the rest of it is zeros in the
    /// other, of which it is then a prefix.
    static func < (left: JournalKey, right: JournalKey) -> Bool {
        if left.head != right.head { return left.head < right.head }
        if left.tail != right.tail { return left.tail < right.tail }
        guard let leftLong = left.long, let rightLong = right.long else {
            return left.count < right.count
        }
        return leftLong.withUnsafeBytes { left in
            rightLong.withUnsafeBytes { right in precedes(left, right) }
        }
    }

    func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        if let long { return long.withUnsafeBytes(body) }
        return Swift.withUnsafeBytes(of: (head.bigEndian, tail.bigEndian)) { words in
            body(UnsafeRawBufferPointer(rebasing: words[..<count]))
        }
    }

    private static func word(_ raw: UnsafeRawBufferPointer, at offset: Int) -> UInt64 {
        if raw.count >= offset + 8 {
            return UInt64(bigEndian: raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        }
        var word: UInt64 = 0
        for index in offset..<offset + 8 {
            word = word << 8 | (index < raw.count ? UInt64(raw[index]) : 0)
        }
        return word
    }
}
