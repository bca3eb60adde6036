/// The keys that a request's `key` and `range_end` name.
package struct KeyRange: Sendable {
    package enum Upper: Sendable {
        /// Only the key itself.
        case point
        /// Every key from the lower end on.
        case open
        /// Keys less than this one.
        case below(ArraySlice<UInt8>)
    }

    package let lower: ArraySlice<UInt8>
    package let upper: Upper

    package init(key: ArraySlice<UInt8>, rangeEnd: ArraySlice<UInt8>) {
        lower = key
        if rangeEnd.isEmpty {
            upper = .point
        } else if rangeEnd.count == 1 && rangeEnd.first == 0 {
            upper = .open
        } else {
            upper = .below(rangeEnd)
        }
    }

    func contains(_ key: ArraySlice<UInt8>) -> Bool {
        switch upper {
        case .point: key == lower
        case .open: !key.lexicographicallyPrecedes(lower)
        case .below(let end):
            !key.lexicographicallyPrecedes(lower) && key.lexicographicallyPrecedes(end)
        }
    }
}
