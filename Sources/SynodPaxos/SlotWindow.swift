import DequeModule

/// Values by slot above a rising base: a sparse array whose lower end moves up as slots are done
/// with. The counterpart of a dictionary, in slot order and without hashing.
package struct SlotWindow<Value: Sendable>: Sendable {
    /// The lowest slot that may hold a value.
    package private(set) var base: Slot
    private var values: Deque<Value?> = []

    package init(base: Slot) {
        self.base = base
    }

    /// The slot behind the highest one that holds a value; `base` if none does.
    package var end: Slot { base.advanced(by: values.count) }

    package var isEmpty: Bool { values.isEmpty }

    /// The value at a slot, nil below the base and above the end.
    package subscript(slot: Slot) -> Value? {
        get {
            guard slot >= base, slot < end else { return nil }
            return values[slot.distance(from: base)]
        }
        set {
            precondition(slot >= base, "A window holds values at or above its base.")
            while end <= slot { values.append(nil) }
            values[slot.distance(from: base)] = newValue
            while let last = values.last, last == nil { values.removeLast() }
        }
    }

    /// Changes the value at a slot in place; nothing happens where there is none.
    package mutating func update(_ slot: Slot, _ change: (inout Value) -> Void) {
        guard slot >= base, slot < end else { return }
        let index = slot.distance(from: base)
        guard values[index] != nil else { return }
        change(&values[index]!)
    }

    /// Forgets every value below `slot`.
    package mutating func raiseBase(to slot: Slot) {
        guard slot > base else { return }
        values.removeFirst(min(values.count, slot.distance(from: base)))
        base = slot
    }

    /// Visits the values in slot order.
    package func forEach(_ body: (Slot, Value) -> Void) {
        var slot = base
        for value in values {
            if let value { body(slot, value) }
            slot = slot.next
        }
    }
}

extension SlotWindow: Equatable where Value: Equatable {}
extension SlotWindow: Hashable where Value: Hashable {}
