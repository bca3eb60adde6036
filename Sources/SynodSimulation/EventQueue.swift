import SynodPaxos

/// What will happen, in the order of its time and, at one time, of its entry: a binary heap.
///
/// The heap holds places only, so that sifting moves a few words; the events themselves stay where
/// they were put until they are due.
struct EventQueue<Event> {
    private struct Item {
        let at: Instant
        let number: UInt64
        let place: Int

        func comes(before other: Item) -> Bool {
            at < other.at || at <= other.at && number < other.number
        }
    }

    private var heap: [Item] = []
    private var events: [Event?] = []
    private var free: [Int] = []
    private var nextNumber: UInt64 = 0

    var nextTime: Instant? { heap.first?.at }

    mutating func push(_ event: Event, at: Instant) {
        let place = free.popLast() ?? events.count
        if place == events.count { events.append(event) } else { events[place] = event }
        let item = Item(at: at, number: nextNumber, place: place)
        nextNumber += 1
        heap.append(item)
        heap.withUnsafeMutableBufferPointer { Self.siftUp(item, in: $0) }
    }

    mutating func pop() -> (at: Instant, event: Event)? {
        guard let first = heap.first, let event = events[first.place].take() else { return nil }
        free.append(first.place)
        let last = heap.removeLast()
        if !heap.isEmpty { heap.withUnsafeMutableBufferPointer { Self.siftDown(last, in: $0) } }
        return (first.at, event)
    }

    // Both move a gap to where the item belongs, rather than swapping it all the way.

    private static func siftUp(_ item: Item, in heap: UnsafeMutableBufferPointer<Item>) {
        var gap = heap.count - 1
        while gap > 0 {
            let parent = (gap - 1) / 2
            guard item.comes(before: heap[parent]) else { break }
            heap[gap] = heap[parent]
            gap = parent
        }
        heap[gap] = item
    }

    private static func siftDown(_ item: Item, in heap: UnsafeMutableBufferPointer<Item>) {
        var gap = 0
        while true {
            var child = 2 * gap + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, heap[child + 1].comes(before: heap[child]) { child += 1 }
            guard heap[child].comes(before: item) else { break }
            heap[gap] = heap[child]
            gap = child
        }
        heap[gap] = item
    }
}
