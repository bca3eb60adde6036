import SynodBytes
import Testing

/// The numbers of a seed may never change: recorded failures are seeds.
struct PRNGTests {
    /// Computed with the authors' algorithms (xoshiro256** seeded through splitmix64).
    @Test func goldenNumbers() {
        let golden: [UInt64: [UInt64]] = [
            0: [
                0x99ec_5f36_cb75_f2b4, 0xbf6e_1f78_4956_452a, 0x1a5f_849d_4933_e6e0,
                0x6aa5_94f1_262d_2d2c,
            ],
            1: [
                0xb3f2_af6d_0fc7_10c5, 0x853b_5596_4736_4cea, 0x92f8_9756_082a_4514,
                0x642e_1c7b_c266_a3a7,
            ],
            42: [
                0x1578_0b2e_0c2e_c716, 0x6104_d986_6d11_3a7e, 0xae17_5332_39e4_99a1,
                0xecb8_ad47_03b3_60a1,
            ],
        ]
        for (seed, numbers) in golden {
            var chance = PRNG(seed: seed)
            #expect(numbers.map { _ in chance.next() } == numbers)
        }
    }

    @Test func goldenHashes() {
        #expect(mix64(0x9e37_79b9_7f4a_7c15) == 0xe220_a839_7b1d_cdaf)
        #expect(stableHash([]) == 0xf52a_15e9_a9b5_e89b)
        #expect(stableHash("a".utf8) == 0x02c0_bdbf_4814_20f8)
        #expect(stableHash("foobar".utf8) == 0x404d_a9e3_b740_78c2)
    }

    @Test func numbersStayInTheirRange() {
        var chance = PRNG(seed: 5)
        for bound in [1, 2, 3, 7, 1000, .max] as [UInt64] {
            for _ in 0..<1000 { #expect(chance.below(bound) < bound) }
        }
        for range in [0...0, -5...5, -7 ... -3, 0...Int64.max] {
            for _ in 0..<1000 { #expect(range.contains(chance.within(range))) }
        }
        #expect((0..<100).allSatisfy { _ in chance.chance(1, in: 1) })
        #expect(!(0..<100).contains { _ in chance.chance(0, in: 7) })
    }

    /// Each of ten numbers comes about as often as the others.
    @Test func numbersAreSpread() {
        var chance = PRNG(seed: 6)
        var counts = [Int](repeating: 0, count: 10)
        for _ in 0..<10_000 { counts[Int(chance.below(10))] += 1 }
        #expect(counts.allSatisfy { (850...1150).contains($0) })
    }

    /// What a fork draws shifts nothing in its origin.
    @Test func forksAreIndependent() {
        var one = PRNG(seed: 9)
        var other = PRNG(seed: 9)
        var fork = one.fork()
        _ = other.fork()
        for _ in 0..<10 { _ = fork.next() }
        #expect(one.next() == other.next())
    }
}
