/// Names an element of a ``Slab``. A handle that outlives its element finds nothing, because the
/// place's generation has moved on.
package struct SlabHandle: Hashable, Sendable {
    let slot: UInt32
    let generation: UInt32
}

/// Elements at stable small indices, found and freed in constant time.
struct Slab<Element> {
    private var elements: [Element?] = []
    private var generations: [UInt32] = []
    private var freeSlots: [UInt32] = []

    private(set) var count = 0

    mutating func insert(_ element: Element) -> SlabHandle {
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
    mutating func remove(_ handle: SlabHandle) -> Element? {
        guard contains(handle), let element = elements[Int(handle.slot)] else { return nil }
        elements[Int(handle.slot)] = nil
        generations[Int(handle.slot)] &+= 1
        freeSlots.append(handle.slot)
        count -= 1
        return element
    }

    func contains(_ handle: SlabHandle) -> Bool {
        Int(handle.slot) < generations.count && generations[Int(handle.slot)] == handle.generation
    }

    /// The handle of the element that now is at a slot.
    func handle(at slot: UInt32) -> SlabHandle {
        SlabHandle(slot: slot, generation: generations[Int(slot)])
    }

    /// The element of a handle that is known to be valid.
    subscript(handle: SlabHandle) -> Element {
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
