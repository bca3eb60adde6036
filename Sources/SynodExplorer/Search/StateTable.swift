import SynodBytes

/// The states seen so far, in the order in which they were found, each with the one it was found
/// from: the set of those visited and the queue of a breadth-first search in one.
///
/// States are kept whole, not as digests: two of them can never be taken for one.
struct StateTable {
    private(set) var states: [UInt64] = []
    private(set) var parents: [UInt32] = []
    /// Open addressing; index into `states` plus one, zero where empty.
    private var places: [UInt32]
    private var mask: Int

    init() {
        mask = 1 << 16 - 1
        places = Array(repeating: 0, count: mask + 1)
    }

    var count: Int { states.count }

    /// Adds a state; false if it is there already.
    mutating func insert(_ state: UInt64, from parent: UInt32) -> Bool {
        var place = Int(truncatingIfNeeded: mix64(state)) & mask
        while places[place] != 0 {
            if states[Int(places[place]) - 1] == state { return false }
            place = (place + 1) & mask
        }
        precondition(states.count < Int(UInt32.max) - 1, "States are numbered in 32 bits.")
        states.append(state)
        parents.append(parent)
        places[place] = UInt32(states.count)
        if states.count > places.count / 10 * 6 { grow() }
        return true
    }

    private mutating func grow() {
        mask = places.count * 2 - 1
        places = Array(repeating: 0, count: mask + 1)
        for (index, state) in states.enumerated() {
            var place = Int(truncatingIfNeeded: mix64(state)) & mask
            while places[place] != 0 { place = (place + 1) & mask }
            places[place] = UInt32(index + 1)
        }
    }

    /// The states from the first one to this, each found from the one before.
    func path(to index: Int) -> [UInt64] {
        var path = [states[index]]
        var current = index
        while current != 0 {
            current = Int(parents[current])
            path.append(states[current])
        }
        return path.reversed()
    }
}
