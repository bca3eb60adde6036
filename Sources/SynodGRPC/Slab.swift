/// Names an element of a ``Slab``. A handle that outlives its element finds nothing, because the
/// place's generation has moved on.
package struct SlabHandle: Hashable, Sendable {
    let slot: UInt32
    let generation: UInt32

    init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }

    /// The handle as one number, and back.
    package init(rawValue: UInt64) {
        slot = UInt32(truncatingIfNeeded: rawValue)
        generation = UInt32(truncatingIfNeeded: rawValue >> 32)
    }

    package var rawValue: UInt64 { UInt64(generation) << 32 | UInt64(slot) }
}

/// Elements at stable small indices, found and freed in constant time.
package struct Slab<Element> {
    private var elements: [Element?] = []
    private var generations: [UInt32] = []
    private var freeSlots: [UInt32] = []

    package private(set) var count = 0

    package init() {}

    package mutating func insert(_ element: Element) -> SlabHandle {
        count += 1
        if let slot = freeSlots.popLast() {
            elements[Int(slot)] = element
            return SlabHandle(slot: slot, generation: generations[Int(slot)])
        }
        elements.append(element)
        generations.append(0)
        return SlabHandle(slot: UInt32(elements.count - 1), generation: 0)
    }

    /// Takes an element out; nil when the handle is stale.
    @discardableResult
    package mutating func remove(_ handle: SlabHandle) -> Element? {
        guard contains(handle), let element = elements[Int(handle.slot)] else { return nil }
        elements[Int(handle.slot)] = nil
        generations[Int(handle.slot)] &+= 1
        freeSlots.append(handle.slot)
        count -= 1
        return element
    }

    package func contains(_ handle: SlabHandle) -> Bool {
        Int(handle.slot) < generations.count && generations[Int(handle.slot)] == handle.generation
    }

    /// The handle of the element that now is at a slot.
    func handle(at slot: UInt32) -> SlabHandle {
        SlabHandle(slot: slot, generation: generations[Int(slot)])
    }

    /// The element of a handle that is known to be valid.
    package subscript(handle: SlabHandle) -> Element {
        get {
            precondition(contains(handle), "A handle is used after its element was removed.")
            return elements[Int(handle.slot)]!
        }
        _modify {
            precondition(contains(handle), "A handle is used after its element was removed.")
            yield &elements[Int(handle.slot)]!
        }
    }

    /// The handles of all elements, in the order of their slots.
    var handles: [SlabHandle] {
        elements.indices.filter { elements[$0] != nil }.map { handle(at: UInt32($0)) }
    }
}
