import SynodBytes
import SynodPaxos
import Testing

struct SpanIndexTests {
    private func span(_ chance: inout PRNG) -> KeySpan {
        func key() -> ArraySlice<UInt8> {
            (0..<chance.below(4)).map { _ in UInt8(chance.below(3)) }[...]
        }
        switch chance.below(8) {
        case 0..<4: return KeySpan(key())
        case 4..<7: return KeySpan(key(), .below(key()))
        default: return KeySpan(key(), .open)
        }
    }

    /// What is found is what a look at each finds, whatever was added and taken away before.
    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func itFindsWhatALookAtEachFinds(seed: UInt64) {
        var chance = PRNG(seed: seed)
        var all: [(span: KeySpan, value: Int)] = (0..<Int(chance.below(100))).map {
            (span(&chance), $0)
        }
        var index = SpanIndex(all)
        for number in 100..<500 {
            let new = span(&chance)
            all.append((new, number))
            index.insert(new, number)
            if chance.below(50) == 0 {
                let lowest = number - Int(chance.below(200))
                all.removeAll { $0.value < lowest }
                index.keep { $0 >= lowest }
            }
            #expect(index.count == all.count)
            let asked = span(&chance)
            var found: [Int] = []
            index.forEach(overlapping: asked) { found.append($0) }
            #expect(found.sorted() == all.filter { $0.span.overlaps(asked) }.map(\.value))
        }
    }
}
