import SynodBytes

/// The keys of a history, numbered in their order, so that a state of the store is an array and a
/// range of keys is a range of numbers.
struct KeyTable {
    let keys: [Bytes]
    private let numbers: [Bytes: Int]

    init(_ all: Set<Bytes>) {
        keys = all.sorted { $0.lexicographicallyPrecedes($1) }
        numbers = Dictionary(uniqueKeysWithValues: keys.enumerated().map { ($1, $0) })
    }

    func number(of key: Bytes) -> Int? { numbers[key] }

    func numbers(in range: KeyRange) -> Range<Int> {
        guard let upper = range.upper else {
            return number(of: range.lower).map { $0..<$0 + 1 } ?? 0..<0
        }
        let first = firstNumber(notBelow: range.lower)
        let end = upper == [0] ? keys.count : firstNumber(notBelow: upper)
        return first..<max(first, end)
    }

    private func firstNumber(notBelow key: Bytes) -> Int {
        keys.binarySearch { !$0.lexicographicallyPrecedes(key) }
    }
}

extension KeyTable {
    /// All keys that can ever have existed.
    init(putBy operations: [Operation]) {
        var all: Set<Bytes> = []
        for operation in operations where !operation.outcome.isRefused {
            operation.request.forEachPut { key, _ in all.insert(key) }
        }
        self.init(all)
    }

    /// All keys that requests name one by one or answers contain.
    init(namedBy operations: [Operation]) {
        var all: Set<Bytes> = []
        for operation in operations where !operation.outcome.isRefused {
            operation.request.forEachKey { all.insert($0) }
            operation.response?.body.forEachKeyValue { all.insert($0.key) }
        }
        self.init(all)
    }
}

extension RandomAccessCollection where Index == Int {
    /// The first index from which on the condition holds, given that it never stops holding.
    func binarySearch(_ holds: (Element) -> Bool) -> Int {
        var low = startIndex
        var high = endIndex
        while low < high {
            let middle = low + (high - low) / 2
            if holds(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
