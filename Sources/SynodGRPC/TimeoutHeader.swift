package import NIOCore

/// The value of `grpc-timeout`: one to eight digits and a unit.
package enum TimeoutHeader {
    /// The longest time kept: a year, so that adding it to a clock cannot overflow.
    private static let longest = Int64(365 * 86_400) * 1_000_000_000

    /// Nil when the value is malformed.
    package static func parse(_ value: String) -> TimeAmount? {
        let bytes = value.utf8
        guard (2...9).contains(bytes.count), let unit = bytes.last,
            let nanoseconds = nanoseconds(in: unit)
        else {
            return nil
        }
        var count: Int64 = 0
        for digit in bytes.dropLast() {
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
            count = count * 10 + Int64(digit - UInt8(ascii: "0"))
        }
        let (total, isTooLong) = count.multipliedReportingOverflow(by: nanoseconds)
        return .nanoseconds(isTooLong ? longest : min(total, longest))
    }

    /// The shortest exact-enough spelling: milliseconds when eight digits hold them, else seconds.
    package static func format(_ timeout: TimeAmount) -> String {
        let milliseconds = max(timeout.nanoseconds, 0) / 1_000_000 + 1
        return milliseconds < 100_000_000
            ? "\(milliseconds)m" : "\(min(milliseconds / 1000, 99_999_999))S"
    }

    private static func nanoseconds(in unit: UInt8) -> Int64? {
        switch unit {
        case UInt8(ascii: "H"): 3_600_000_000_000
        case UInt8(ascii: "M"): 60_000_000_000
        case UInt8(ascii: "S"): 1_000_000_000
        case UInt8(ascii: "m"): 1_000_000
        case UInt8(ascii: "u"): 1_000
        case UInt8(ascii: "n"): 1
        default: nil
        }
    }
}
