/// Slots that take turns: a queue that holds each of them at most once, and from which any can be
/// taken out in constant time.
package struct RoundRobin {
    private static let none = UInt32.max

    private struct Links {
        var next = none
        var previous = none
        var isMember = false
    }

    private var links: [Links] = []
    private var firstSlot = none
    private var lastSlot = none
    package private(set) var count = 0

    package init() {}

    package var isEmpty: Bool { count == 0 }

    package var first: UInt32? { count == 0 ? nil : firstSlot }

    package func contains(_ slot: UInt32) -> Bool {
        Int(slot) < links.count && links[Int(slot)].isMember
    }

    /// Puts a slot at the end, unless it has a place already.
    package mutating func append(_ slot: UInt32) {
        while links.count <= Int(slot) { links.append(Links()) }
        guard !links[Int(slot)].isMember else { return }
        links[Int(slot)] = Links(next: Self.none, previous: lastSlot, isMember: true)
        if lastSlot == Self.none {
            firstSlot = slot
        } else {
            links[Int(lastSlot)].next = slot
        }
        lastSlot = slot
        count += 1
    }

    /// Takes a slot out, if it is there.
    package mutating func remove(_ slot: UInt32) {
        guard contains(slot) else { return }
        let old = links[Int(slot)]
        links[Int(slot)] = Links()
        if old.previous == Self.none {
            firstSlot = old.next
        } else {
            links[Int(old.previous)].next = old.next
        }
        if old.next == Self.none {
            lastSlot = old.previous
        } else {
            links[Int(old.next)].previous = old.previous
        }
        count -= 1
    }

    /// All slots in their order.
    package var slots: [UInt32] {
        var slots: [UInt32] = []
        var slot = firstSlot
        while slot != Self.none {
            slots.append(slot)
            slot = links[Int(slot)].next
        }
        return slots
    }
}
