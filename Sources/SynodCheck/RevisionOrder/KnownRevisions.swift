/// The highest revision that anybody was told of each key, where operations tell of ranges of keys.
///
/// A segment tree: noting and asking take time in the logarithm of the number of keys.
struct KnownRevisions {
    private struct Node {
        /// Known of all keys below.
        var ofAll = Int64.min
        /// The highest that is known of any key below.
        var ofAny = Int64.min
    }

    private let root: Range<Int>
    /// The children of node i are 2i and 2i + 1.
    private var nodes: [Node]

    init(keyCount: Int) {
        var leaves = 1
        while leaves < keyCount { leaves *= 2 }
        root = 0..<leaves
        nodes = Array(repeating: Node(), count: 2 * leaves)
    }

    mutating func note(_ revision: Int64, of keys: Range<Int>) {
        if !keys.isEmpty { note(revision, of: keys, below: 1, root) }
    }

    func highest(of keys: Range<Int>) -> Int64 {
        keys.isEmpty ? .min : highest(of: keys, below: 1, root)
    }

    private mutating func note(
        _ revision: Int64, of keys: Range<Int>, below node: Int, _ span: Range<Int>
    ) {
        nodes[node].ofAny = max(nodes[node].ofAny, revision)
        if covers(keys, span) {
            nodes[node].ofAll = max(nodes[node].ofAll, revision)
            return
        }
        let middle = span.lowerBound + span.count / 2
        if keys.lowerBound < middle {
            note(revision, of: keys, below: 2 * node, span.lowerBound..<middle)
        }
        if keys.upperBound > middle {
            note(revision, of: keys, below: 2 * node + 1, middle..<span.upperBound)
        }
    }

    private func highest(
        of keys: Range<Int>, below node: Int, _ span: Range<Int>
    ) -> Int64 {
        if covers(keys, span) { return nodes[node].ofAny }
        var highest = nodes[node].ofAll
        let middle = span.lowerBound + span.count / 2
        if keys.lowerBound < middle {
            let left = self.highest(of: keys, below: 2 * node, span.lowerBound..<middle)
            highest = max(highest, left)
        }
        if keys.upperBound > middle {
            let right = self.highest(of: keys, below: 2 * node + 1, middle..<span.upperBound)
            highest = max(highest, right)
        }
        return highest
    }

    private func covers(_ keys: Range<Int>, _ span: Range<Int>) -> Bool {
        keys.lowerBound <= span.lowerBound && span.upperBound <= keys.upperBound
    }
}
