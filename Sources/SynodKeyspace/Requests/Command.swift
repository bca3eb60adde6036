package import SynodBytes

/// A change to the keyspace: what consensus carries as opaque bytes.
///
/// The bytes are one tag and the request message exactly as the client sent it, so that the door
/// that received it neither parses nor encodes it again.
package enum Command: Sendable {
    case put(PutRequest)
    case deleteRange(DeleteRangeRequest)
    case txn(TxnRequest)
    case compaction(CompactionRequest)
    case alarm(AlarmRequest)

    /// The first byte of an encoded command. Numbers are never reused: they are in logs.
    package enum Tag: UInt8, Sendable {
        case put = 1
        case deleteRange = 2
        case txn = 3
        case compaction = 4
        case alarm = 5
    }

    /// The command that asks for what the request message says.
    package static func encode(_ tag: Tag, _ message: some Collection<UInt8>) -> Bytes {
        var bytes = Bytes()
        bytes.reserveCapacity(1 + message.count)
        bytes.append(tag.rawValue)
        bytes.append(contentsOf: message)
        return bytes
    }

    /// Reads a command; what it asks for is not checked yet.
    package init(_ command: ArraySlice<UInt8>) throws(KeyspaceError) {
        guard let first = command.first, let tag = Tag(rawValue: first) else {
            throw .malformed("the command's tag is unknown")
        }
        let message = command.dropFirst()
        do throws(MalformedBytes) {
            switch tag {
            case .put: self = .put(try PutRequest(message))
            case .deleteRange: self = .deleteRange(try DeleteRangeRequest(message))
            case .txn: self = .txn(try TxnRequest(message))
            case .compaction: self = .compaction(try CompactionRequest(message))
            case .alarm: self = .alarm(try AlarmRequest(message))
            }
        } catch {
            throw .malformed(error.reason)
        }
    }

    /// Refuses what can be refused without looking at any state.
    package func check(maxOperations: Int = Limits.transactionOperations) throws(KeyspaceError) {
        switch self {
        case .put(let request): try request.check()
        case .deleteRange(let request): try request.check()
        case .txn(let request): try request.check(maxOperations: maxOperations)
        case .compaction, .alarm: break
        }
    }
}
