import DequeModule
import SynodPaxos

/// Requests that wait for their turn, each under a number that grows by one: found by number,
/// timed out from the front, because every request waits equally long.
struct PendingRequests<Value: Sendable>: Sendable {
    private struct Item: Sendable {
        let value: Value
        let bytes: Int
        let deadline: Instant
    }

    private var items: Deque<Item?> = []
    /// Number of the first item.
    private var first: UInt64
    private(set) var count = 0
    /// Of all that wait.
    private(set) var bytes = 0

    init(firstNumber: UInt64) {
        first = firstNumber
    }

    /// The number that the next request gets.
    var nextNumber: UInt64 { first + UInt64(items.count) }

    /// When the oldest request times out.
    var deadline: Instant { items.first.flatMap { $0?.deadline } ?? .distantFuture }

    /// - Parameter bytes: that the request holds.
    mutating func append(_ value: Value, bytes: Int = 0, deadline: Instant) -> UInt64 {
        let number = nextNumber
        count += 1
        self.bytes += bytes
        items.append(Item(value: value, bytes: bytes, deadline: deadline))
        return number
    }

    /// Takes a request out; nil if it has been answered or never was.
    mutating func remove(_ number: UInt64) -> Value? {
        guard number >= first, number - first < UInt64(items.count) else { return nil }
        let index = Int(number - first)
        guard let item = items[index] else { return nil }
        forget(item, at: index)
        return item.value
    }

    /// Takes out the requests whose time is over.
    mutating func removeExpired(_ now: Instant, _ body: (Value) -> Void) {
        while case .some(.some(let item)) = items.first, item.deadline <= now {
            body(item.value)
            forget(item, at: 0)
        }
    }

    mutating func removeAll(_ body: (Value) -> Void) {
        first = nextNumber
        for case let item? in items { body(item.value) }
        items.removeAll()
        count = 0
        bytes = 0
    }

    private mutating func forget(_ item: Item, at index: Int) {
        items[index] = nil
        count -= 1
        bytes -= item.bytes
        while let item = items.first, item == nil {
            items.removeFirst()
            first += 1
        }
    }
}
