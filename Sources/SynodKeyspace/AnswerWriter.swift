import SynodBytes

/// Collects the encoded answer to a request, if there is anybody who wants it.
struct AnswerWriter {
    /// Without it nothing is written, and nothing is read from the store for the answer's sake.
    let isWanted: Bool
    private(set) var writer: ByteWriter
    private var isTooLarge = false

    init(isWanted: Bool) {
        self.isWanted = isWanted
        writer = ByteWriter(capacity: isWanted ? 48 : 0)
    }

    /// Writes something small.
    @inline(__always)
    mutating func write(_ body: (inout ByteWriter) -> Void) {
        if isWanted { body(&writer) }
    }

    /// Writes a key's record as a field. Once the answer is larger than any client takes, the rest
    /// is left out and the whole refused at the end.
    mutating func write(_ number: UInt64, record: ArraySlice<UInt8>) {
        guard isWanted, !isTooLarge else { return }
        guard writer.count + record.count <= Limits.answerBytes else {
            isTooLarge = true
            return
        }
        writer.writeMessage(number, record)
    }

    /// Opens a message within the answer; returns what ``end(_:)`` needs.
    mutating func begin(_ number: UInt64) -> Int {
        isWanted ? writer.beginMessage(number) : 0
    }

    mutating func end(_ message: Int) {
        if isWanted { writer.endMessage(message) }
    }

    var result: Result<Bytes, KeyspaceError>? {
        guard isWanted else { return nil }
        return isTooLarge ? .failure(.answerTooLarge) : .success(writer.bytes)
    }

    /// The answer as `header` followed by what was written.
    func result(behind header: ResponseHeader?, revision: Int64) -> Result<Bytes, KeyspaceError>? {
        guard let header, isWanted else { return nil }
        if isTooLarge { return .failure(.answerTooLarge) }
        var whole = ByteWriter(capacity: writer.count + 48)
        whole.write(header, revision: revision)
        whole.writeRaw(writer.bytes)
        return .success(whole.bytes)
    }
}
