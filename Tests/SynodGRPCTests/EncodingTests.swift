import NIOCore
import SynodGRPC
import Testing

@Suite struct EncodingTests {
    @Test(
        arguments: [
            ("1H", 3600 * 1_000_000_000), ("2M", 120 * 1_000_000_000), ("3S", 3_000_000_000),
            ("4m", 4_000_000), ("5u", 5_000), ("99999999n", 99_999_999), ("0m", 0),
            ("99999999H", 365 * 86_400 * 1_000_000_000),
        ] as [(String, Int64)])
    func timeoutsAreRead(text: String, nanoseconds: Int64) {
        #expect(TimeoutHeader.parse(text) == .nanoseconds(nanoseconds))
    }

    @Test(arguments: ["", "m", "1", "1x", "-1m", "+1m", "1.5S", "123456789m", " 1m", "1m ", "é1m"])
    func malformedTimeoutsAreNot(text: String) {
        #expect(TimeoutHeader.parse(text) == nil)
    }

    @Test(arguments: [1, 999_999, 7_000_000_000, 100_000_000_000_000, .max] as [Int64])
    func timeoutsAreWrittenLongEnough(nanoseconds: Int64) throws {
        let text = TimeoutHeader.format(.nanoseconds(nanoseconds))
        let read = try #require(TimeoutHeader.parse(text))
        let year = Int64(365 * 86_400) * 1_000_000_000
        #expect(read.nanoseconds >= min(nanoseconds, year))
    }

    @Test(arguments: ["", "plain", "100%", "é", "line\nbreak\u{7f}", "%41%"])
    func messagesSurviveTheirEncoding(text: String) {
        let encoded = PercentEncoding.encode(text)
        #expect(encoded.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f })
        #expect(PercentEncoding.decode(encoded) == text)
    }

    @Test func whatIsNoEscapeStandsForItself() {
        #expect(PercentEncoding.decode("50% of %4 and %zz%41") == "50% of %4 and %zzA")
    }
}
