/// Spans of keys, each with a value, of which those are found that overlap another one: an interval
/// tree, augmented with the furthest end of each subtree (Cormen et al., *Introduction to
/// Algorithms*, §14.3).
///
/// The tree is implicit: an array in order of the lower ends, whose middle is the root. What was
/// added since that array was made is few, and looked through one by one.
package struct SpanIndex<Value: Hashable & Sendable>: Hashable, Sendable {
    private struct Item: Hashable {
        let span: KeySpan
        let value: Value
    }

    private static var mostRecent: Int { 64 }

    private var sorted: [Item] = []
    /// By root of a subtree: the item in it whose span ends last.
    private var furthest: [Int] = []
    private var recent: [Item] = []

    package var count: Int { sorted.count + recent.count }

    /// Adds many at once.
    package init(_ items: [(span: KeySpan, value: Value)] = []) {
        recent = items.map { Item(span: $0.span, value: $0.value) }
        merge()
    }

    package mutating func insert(_ span: KeySpan, _ value: Value) {
        recent.append(Item(span: span, value: value))
        if recent.count > Self.mostRecent { merge() }
    }

    /// Keeps only what satisfies the condition.
    package mutating func keep(where isKept: (Value) -> Bool) {
        sorted.removeAll { !isKept($0.value) }
        recent.removeAll { !isKept($0.value) }
        merge()
    }

    /// Visits the values of all spans that overlap this one, in no particular order.
    package func forEach(overlapping span: KeySpan, _ body: (Value) -> Void) {
        visit(0..<sorted.count, overlapping: span, body)
        for item in recent where item.span.overlaps(span) { body(item.value) }
    }

    private func visit(_ part: Range<Int>, overlapping span: KeySpan, _ body: (Value) -> Void) {
        guard !part.isEmpty else { return }
        let root = (part.lowerBound + part.upperBound) / 2
        guard sorted[furthest[root]].span.reaches(span.lower) else { return }
        visit(part.lowerBound..<root, overlapping: span, body)
        // Whatever is right of the root begins no earlier than it does.
        guard span.reaches(sorted[root].span.lower) else { return }
        if sorted[root].span.overlaps(span) { body(sorted[root].value) }
        visit(root + 1..<part.upperBound, overlapping: span, body)
    }

    private mutating func merge() {
        sorted += recent
        recent.removeAll(keepingCapacity: true)
        sorted.sort { $0.span.lower.lexicographicallyPrecedes($1.span.lower) }
        furthest = Array(repeating: 0, count: sorted.count)
        _ = findFurthest(0..<sorted.count)
    }

    private mutating func findFurthest(_ part: Range<Int>) -> Int? {
        guard !part.isEmpty else { return nil }
        let root = (part.lowerBound + part.upperBound) / 2
        furthest[root] = root
        let parts = [part.lowerBound..<root, root + 1..<part.upperBound]
        for other in parts.compactMap({ findFurthest($0) })
        where sorted[furthest[root]].span.ends(before: sorted[other].span) {
            furthest[root] = other
        }
        return furthest[root]
    }
}
