import SynodBytes
import SynodPaxos
import Testing

struct SlotWindowTests {
    /// It behaves like a dictionary whose keys below the base are gone.
    @Test func likeADictionary() {
        for seed in 1...50 as ClosedRange<UInt64> {
            var chance = PRNG(seed: seed)
            var window = SlotWindow<UInt64>(base: Slot(1))
            var model: [Slot: UInt64] = [:]
            for _ in 0..<200 {
                let slot = window.base.advanced(by: Int(chance.below(12)))
                switch chance.below(4) {
                case 0:
                    window[slot] = nil
                    model[slot] = nil
                case 1:
                    window.update(slot) { $0 += 1 }
                    model[slot]? += 1
                case 2:
                    let base = window.base.advanced(by: Int(chance.below(4)))
                    window.raiseBase(to: base)
                    model = model.filter { $0.key >= base }
                default:
                    window[slot] = chance.next() >> 1
                    model[slot] = window[slot]
                }
                var visited: [(Slot, UInt64)] = []
                window.forEach { visited.append(($0, $1)) }
                #expect(visited.map(\.0) == model.keys.sorted())
                #expect(visited.allSatisfy { model[$0.0] == $0.1 })
                #expect(window.isEmpty == model.isEmpty)
                #expect(window.end == model.keys.max().map(\.next) ?? window.base)
            }
        }
    }

    @Test func nothingOutside() {
        var window = SlotWindow<Int>(base: Slot(5))
        window[Slot(7)] = 7
        #expect(window[Slot(4)] == nil)
        #expect(window[.zero] == nil)
        #expect(window[Slot(Limits.highestSlot)] == nil)
        window.raiseBase(to: Slot(100))
        #expect(window.isEmpty)
        #expect(window.base == Slot(100))
        window.raiseBase(to: Slot(50))
        #expect(window.base == Slot(100))
    }
}
