package import NIOCore
import Synchronization

/// Hands out the operations of a run to all clients, until there are no more.
package final class Budget: Sendable {
    /// One operation to be done.
    package struct Ticket {
        /// Counted from 0.
        package let number: Int
        /// When it ought to begin: possibly later than now, or earlier at a rate that is not kept.
        package let due: NIODeadline
    }

    private let operations: Int
    private let end: NIODeadline
    private let start: NIODeadline
    /// Zero without a rate.
    private let nanosecondsApart: Double
    private let next = Atomic<Int>(0)
    private let isStopped = Atomic<Bool>(false)

    package init(_ extent: BenchConfiguration.Extent, rate: Double?) {
        start = .now()
        switch extent {
        case .operations(let count):
            operations = count
            end = .distantFuture
        case .duration(let duration):
            operations = .max
            end = start + TimeAmount(duration)
        }
        nanosecondsApart = rate.map { 1e9 / $0 } ?? 0
    }

    /// Nil when the run is over.
    package func take() -> Ticket? {
        let now = NIODeadline.now()
        guard now < end, !isStopped.load(ordering: .relaxed) else { return nil }
        let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard number < operations else { return nil }
        guard nanosecondsApart > 0 else { return Ticket(number: number, due: now) }
        let offset = Int64(min(Double(number) * nanosecondsApart, 1e18))
        let due = start + .nanoseconds(offset)
        return due < end ? Ticket(number: number, due: due) : nil
    }

    /// Ends the run early; operations in flight are still awaited.
    package func stop() {
        isStopped.store(true, ordering: .relaxed)
    }
}
