package import SynodBytes

/// A history as text, one operation in JSON on a line, to be written while a run goes on and read
/// by people and scripts afterwards.
///
///     {"client":1,"call":10,"request":{"put":{"key":"a","value":"1"}},
///      "return":20,"answer":{"revision":2,"put":{}}}
///
/// A refused operation has `"return"` alone, an unknown one neither. Keys and values are strings
/// if printable ASCII, otherwise `{"hex":"00ff"}`; what is false, empty or nil is left out.
package enum HistoryLines {
    package static func encode(_ history: History) -> Bytes {
        var text: Bytes = []
        for operation in history.operations { append(operation, to: &text) }
        return text
    }

    /// Appends one line.
    package static func append(_ operation: Operation, to text: inout Bytes) {
        operation.json.append(to: &text)
        text.append(UInt8(ascii: "\n"))
    }

    /// Reads all lines; those that are empty are none.
    package static func decode(_ text: Bytes) throws(MalformedHistory) -> History {
        var history = History()
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (number, line) in lines.enumerated() where !line.isEmpty {
            do throws(MalformedLine) {
                let fields = try JSONFields(JSONParser.parse(line))
                history.operations.append(try Operation(fields))
            } catch {
                throw MalformedHistory(line: number + 1, reason: error.reason)
            }
        }
        return history
    }
}

/// Where and why a text is no history.
package struct MalformedHistory: Error, Hashable, CustomStringConvertible {
    /// From 1.
    package let line: Int
    package let reason: String

    package var description: String { "line \(line) \(reason)" }
}

struct MalformedLine: Error {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}
