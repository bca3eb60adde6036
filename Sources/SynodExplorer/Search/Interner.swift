/// Gives every different value a number, in the order in which they are first seen: what is
/// compared often is compared once.
struct Interner<Value: Hashable> {
    private(set) var values: [Value] = []
    private var numbers: [Value: Int32] = [:]

    var count: Int { values.count }

    subscript(number: Int32) -> Value { values[Int(number)] }

    /// The number of the value, and whether it is new.
    mutating func intern(_ value: Value) -> (number: Int32, isNew: Bool) {
        if let number = numbers[value] { return (number, false) }
        let number = Int32(values.count)
        values.append(value)
        numbers[value] = number
        return (number, true)
    }
}
