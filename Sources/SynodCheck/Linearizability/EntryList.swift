/// The calls and returns that a search has not yet dealt with, in the order of time, as a doubly
/// linked list in two arrays: taking a step out and putting it back costs a few stores.
///
/// Step `i` of `n` has its call at place `i` and its return at `n + i`. A call at the very time of
/// a return comes before it, so that the two overlap.
struct EntryList {
    private let count: Int
    private var next: [Int32]
    private var previous: [Int32]
    private let hasReturn: [Bool]

    init(_ steps: [KeyHistory.Planned]) {
        count = steps.count
        hasReturn = steps.map { $0.end != nil }
        var places: [(time: UInt64, place: Int)] = []
        for (index, step) in steps.enumerated() {
            places.append((step.call, index))
            if let end = step.end { places.append((max(end, step.call), count + index)) }
        }
        places.sort { $0 < $1 }
        next = Array(repeating: 0, count: 2 * count + 1)
        previous = next
        var last = 2 * count
        for (_, place) in places {
            next[last] = Int32(place)
            previous[place] = Int32(last)
            last = place
        }
        next[last] = Int32(2 * count)
        previous[2 * count] = Int32(last)
    }

    var first: Int { Int(next[2 * count]) }

    func entry(after place: Int) -> Int { Int(next[place]) }

    func isCall(_ place: Int) -> Bool { place < count }

    /// The step whose return this is.
    func step(returningAt place: Int) -> Int { place - count }

    mutating func lift(_ step: Int) {
        unlink(step)
        if hasReturn[step] { unlink(count + step) }
    }

    /// The exact reverse of the last ``lift(_:)`` that has not been reversed.
    mutating func unlift(_ step: Int) {
        if hasReturn[step] { relink(count + step) }
        relink(step)
    }

    private mutating func unlink(_ place: Int) {
        next[Int(previous[place])] = next[place]
        previous[Int(next[place])] = previous[place]
    }

    private mutating func relink(_ place: Int) {
        next[Int(previous[place])] = Int32(place)
        previous[Int(next[place])] = Int32(place)
    }
}
