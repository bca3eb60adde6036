/// Looks for an order of one key's steps that explains them all: the search of Wing & Gong (1993)
/// with the cache of Lowe (2017), without recursion.
///
/// A step can be next if it was called before anything that is still missing returned. The first
/// that fits the register is taken; where none fits, the last one taken is put back.
struct RegisterSearch {
    enum Result {
        case linearizable
        /// However the others are ordered, this step never fits before its return.
        case stuck(step: Int)
        case outOfBudget
    }

    private let steps: [KeyHistory.Planned]
    private let predecessors: [Int]
    private var list: EntryList
    private var taken: LinearizedSet
    private var cache = ConfigurationCache()
    private var path: [(step: Int, before: Int32, place: UInt64)] = []
    /// Of those that must be in the order.
    private var missing: Int
    private var state: Int32 = 0
    /// That of the last step taken that has one.
    private var place: UInt64 = 0

    init(_ history: KeyHistory) {
        steps = history.steps
        predecessors = history.predecessors
        list = EntryList(steps)
        taken = LinearizedSet(count: steps.count)
        missing = steps.count { !$0.isOptional }
    }

    mutating func run(stepBudget: inout Int) -> Result {
        var entry = list.first
        var stuck = (missing: Int.max, step: 0)
        while missing > 0 {
            guard stepBudget > 0 else { return .outOfBudget }
            stepBudget -= 1
            if list.isCall(entry) {
                entry = take(entry) ? list.first : list.entry(after: entry)
                continue
            }
            // A step that must be there returns, and nothing in the list fits before it.
            if missing < stuck.missing { stuck = (missing, list.step(returningAt: entry)) }
            guard let last = putBack() else { return .stuck(step: stuck.step) }
            entry = list.entry(after: last)
        }
        return .linearizable
    }

    /// Takes a step if the register allows it and this leads to where the search has not been.
    private mutating func take(_ step: Int) -> Bool {
        let planned = steps[step]
        guard let after = planned.transition.apply(state) else { return false }
        if let place = planned.place {
            guard place > self.place, isTaken(predecessors[step]) else { return false }
        } else if planned.isOptional, after == state {
            return false
        }
        taken.insert(step)
        guard cache.insert(taken, after) else {
            taken.remove(step)
            return false
        }
        path.append((step, state, place))
        state = after
        place = planned.place ?? place
        list.lift(step)
        if !planned.isOptional { missing -= 1 }
        return true
    }

    private func isTaken(_ step: Int) -> Bool { step < 0 || taken.contains(step) }

    /// Takes back the last step that another could have come before. Whoever only looks, and sees
    /// what the register holds, can look at once: an order in which it looks later remains one when
    /// it looks now, so there is nothing to be found without it.
    private mutating func putBack() -> Int? {
        while let (step, before, place) = path.popLast() {
            taken.remove(step)
            state = before
            self.place = place
            list.unlift(step)
            if !steps[step].isOptional { missing += 1 }
            if !steps[step].onlyLooks { return step }
        }
        return nil
    }
}
