import SynodCheck
import Testing

@Suite struct HistoryTests {
    @Test func rangesContainWhatEtcdSaysTheyDo() {
        let b: [UInt8] = [0x62]
        #expect(KeyRange(key: b).contains(b))
        #expect(!KeyRange(key: b).contains([0x62, 0]))
        let half = KeyRange(lower: b, upper: [0x64])
        #expect(half.contains(b) && half.contains([0x63, 0xff]) && half.contains([0x62, 0]))
        #expect(!half.contains([0x61]) && !half.contains([0x64]))
        let open = KeyRange(lower: b, upper: [0])
        #expect(open.contains(b) && open.contains([0xff]) && !open.contains([0x61]))
        #expect(!KeyRange(lower: b, upper: [0x61]).contains(b))
    }
}
