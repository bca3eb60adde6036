import SynodPaxos

/// What will happen, in the order of its time and, at one time, of its entry: a binary heap.
struct EventQueue<Event> {
    private var heap: [Item] = []
    private var nextNumber: UInt64 = 0

    private struct Item {
        let at: Instant
        let number: UInt64
        let event: Event

        func comes(before other: Item) -> Bool {
            at == other.at ? number < other.number : at < other.at
        }
    }

    var isEmpty: Bool { heap.isEmpty }

    var nextTime: Instant? { heap.first?.at }

    mutating func push(_ event: Event, at: Instant) {
        heap.append(Item(at: at, number: nextNumber, event: event))
        nextNumber += 1
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].comes(before: heap[parent]) else { break }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func pop() -> (at: Instant, event: Event)? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        guard !heap.isEmpty else { return (first.at, first.event) }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < heap.count && heap[child].comes(before: heap[least]) {
                least = child
            }
            if least == parent { break }
            heap.swapAt(parent, least)
            parent = least
        }
        return (first.at, first.event)
    }

    /// Visits what waits, in no particular order.
    func contains(where predicate: (Event) -> Bool) -> Bool {
        heap.contains { predicate($0.event) }
    }
}
