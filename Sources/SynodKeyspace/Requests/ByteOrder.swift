/// Negative, zero or positive as `left` comes before, equals or comes after `right`, as unsigned
/// bytes from the first on.
@inline(__always)
func byteOrder(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
    let shared = min(left.count, right.count)
    var offset = 0
    while offset + 8 <= shared {
        let leftWord = UInt64(
            bigEndian: left.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        let rightWord = UInt64(
            bigEndian: right.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
        if leftWord != rightWord { return leftWord < rightWord ? -1 : 1 }
        offset += 8
    }
    while offset < shared {
        if left[offset] != right[offset] { return left[offset] < right[offset] ? -1 : 1 }
        offset += 1
    }
    return left.count - right.count
}

func byteOrder(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Int {
    left.withUnsafeBytes { left in right.withUnsafeBytes { right in byteOrder(left, right) } }
}

func byteOrder(_ left: [UInt8], _ right: ArraySlice<UInt8>) -> Int {
    left.withUnsafeBytes { left in right.withUnsafeBytes { right in byteOrder(left, right) } }
}
