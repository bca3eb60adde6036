import ArgumentParser
import Foundation

/// The keys that `get` and `del` are about.
struct KeyArguments: ParsableArguments {
    @Argument(help: "The key, or the first of a range.")
    var key: String

    @Argument(help: "The end of the range, itself not part of it.")
    var rangeEnd: String?

    @Flag(help: "All keys that begin with KEY.")
    var prefix = false

    @Flag(help: "All keys from KEY on.")
    var fromKey = false

    func validate() throws {
        let ways = [rangeEnd != nil, prefix, fromKey].filter { $0 }.count
        guard ways <= 1 else {
            throw ValidationError("Only one of RANGE-END, --prefix and --from-key can be given.")
        }
    }

    /// As the protocol has it: an empty end for one key, a zero byte for no end.
    var range: (key: Data, end: Data) {
        let first = Data(key.utf8)
        let noEnd = Data([0])
        if let rangeEnd { return (first, Data(rangeEnd.utf8)) }
        guard prefix || fromKey else { return (first, Data()) }
        if first.isEmpty { return (noEnd, noEnd) }
        return (first, fromKey ? noEnd : Self.successor(ofPrefix: first))
    }

    /// The smallest byte string behind all that begin with `prefix`.
    private static func successor(ofPrefix prefix: Data) -> Data {
        var end = prefix
        while let last = end.popLast() {
            if last < 0xff { return end + [last + 1] }
        }
        return Data([0])
    }
}
