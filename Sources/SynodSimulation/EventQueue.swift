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
            at == other.at ? number < other.number : at < other.at
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
        heap.append(Item(at: at, number: nextNumber, place: place))
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
        guard let first = heap.first, let event = events[first.place] else { return nil }
        events[first.place] = nil
        free.append(first.place)
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            siftDown()
        }
        return (first.at, event)
    }

    private mutating func siftDown() {
        var parent = 0
        while true {
            var least = parent
            let child = 2 * parent + 1
            if child < heap.count, heap[child].comes(before: heap[least]) { least = child }
            if child + 1 < heap.count, heap[child + 1].comes(before: heap[least]) {
                least = child + 1
            }
            if least == parent { break }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
