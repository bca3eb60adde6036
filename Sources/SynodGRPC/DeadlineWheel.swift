package import NIOCore

/// Deadlines of the calls of one connection, kept in coarse ticks: setting and clearing one costs a
/// few stores, and one scheduled task serves them all.
///
/// A ring of buckets holds one doubly linked list of slots for each tick. A deadline beyond the
/// ring's end waits in its last bucket and is filed again when that comes up.
package struct DeadlineWheel {
    /// Ticks are this long; a deadline is noticed at most one tick late.
    package static let tick = TimeAmount.milliseconds(16)
    private static let bucketCount: UInt64 = 256
    private static let none = UInt32.max

    private struct Entry {
        /// Zero when the slot has no deadline.
        var dueTick: UInt64 = 0
        /// The tick in whose bucket the entry is filed.
        var filedTick: UInt64 = 0
        var next = none
        var previous = none
    }

    private var entries: [Entry] = []
    private var buckets: [UInt32] = []
    /// The first tick that has not been looked at.
    private var nextTick: UInt64 = 0
    package private(set) var count = 0

    package init() {}

    /// Files a deadline for a slot that has none, and returns when ``expire(now:)`` should be called
    /// for its sake.
    package mutating func set(_ deadline: NIODeadline, slot: UInt32, now: NIODeadline)
        -> NIODeadline
    {
        if buckets.isEmpty {
            buckets = [UInt32](repeating: Self.none, count: Int(Self.bucketCount))
        }
        if count == 0 { nextTick = Self.tickIndex(now) + 1 }
        while entries.count <= Int(slot) { entries.append(Entry()) }
        precondition(entries[Int(slot)].dueTick == 0, "A slot has at most one deadline.")
        count += 1
        entries[Int(slot)].dueTick = Self.tickIndex(deadline) + 1
        file(slot)
        return Self.time(of: entries[Int(slot)].filedTick)
    }

    /// Forgets a slot's deadline, if it has one.
    package mutating func clear(slot: UInt32) {
        guard Int(slot) < entries.count, entries[Int(slot)].dueTick != 0 else { return }
        unlink(slot)
        entries[Int(slot)] = Entry()
        count -= 1
    }

    /// Takes out every slot whose deadline is over.
    package mutating func expire(now: NIODeadline) -> [UInt32] {
        let through = Self.tickIndex(now)
        var expired: [UInt32] = []
        // After a long pause one turn of the ring sees every bucket.
        if through > nextTick + Self.bucketCount { nextTick = through - Self.bucketCount }
        while count > 0, nextTick <= through {
            let bucket = Int(nextTick % Self.bucketCount)
            var slot = buckets[bucket]
            nextTick += 1
            while slot != Self.none {
                let next = entries[Int(slot)].next
                let isDue = entries[Int(slot)].dueTick <= through
                if isDue {
                    expired.append(slot)
                    clear(slot: slot)
                } else {
                    unlink(slot)
                    file(slot)
                }
                slot = next
            }
        }
        return expired
    }

    /// When ``expire(now:)`` should next be called; nil when there is no deadline.
    package var nextWakeUp: NIODeadline? {
        guard count > 0 else { return nil }
        for tick in nextTick..<nextTick + Self.bucketCount
        where buckets[Int(tick % Self.bucketCount)] != Self.none {
            return Self.time(of: tick)
        }
        return nil
    }

    private mutating func file(_ slot: UInt32) {
        let due = entries[Int(slot)].dueTick
        let tick = min(max(due, nextTick), nextTick + Self.bucketCount - 1)
        let bucket = Int(tick % Self.bucketCount)
        let head = buckets[bucket]
        entries[Int(slot)].filedTick = tick
        entries[Int(slot)].previous = Self.none
        entries[Int(slot)].next = head
        if head != Self.none { entries[Int(head)].previous = slot }
        buckets[bucket] = slot
    }

    private mutating func unlink(_ slot: UInt32) {
        let entry = entries[Int(slot)]
        if entry.previous == Self.none {
            buckets[Int(entry.filedTick % Self.bucketCount)] = entry.next
        } else {
            entries[Int(entry.previous)].next = entry.next
        }
        if entry.next != Self.none { entries[Int(entry.next)].previous = entry.previous }
    }

    private static func tickIndex(_ time: NIODeadline) -> UInt64 {
        time.uptimeNanoseconds / UInt64(tick.nanoseconds)
    }

    private static func time(of tickIndex: UInt64) -> NIODeadline {
        .uptimeNanoseconds(tickIndex * UInt64(tick.nanoseconds))
    }
}
