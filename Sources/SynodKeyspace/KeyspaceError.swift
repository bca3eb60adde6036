package import SynodBytes

/// A refusal as a client sees it: a gRPC status code and etcd's exact message, since clients match
/// on both.
package struct KeyspaceError: Error, Hashable, Sendable {
    /// The gRPC status code's number.
    package let code: UInt8
    package let message: String

    package init(code: UInt8, message: String) {
        self.code = code
        self.message = message
    }
}

extension KeyspaceError {
    private enum Code {
        static let invalidArgument: UInt8 = 3
        static let notFound: UInt8 = 5
        static let resourceExhausted: UInt8 = 8
        static let outOfRange: UInt8 = 11
        static let internalError: UInt8 = 13
        static let dataLoss: UInt8 = 15
    }

    private static func invalid(_ message: String) -> KeyspaceError {
        KeyspaceError(code: Code.invalidArgument, message: "etcdserver: \(message)")
    }

    package static let emptyKey = invalid("key is not provided")
    /// A key that `ignore_value` or `ignore_lease` relies on is missing, or a transaction holds an
    /// empty operation.
    package static let keyNotFound = invalid("key not found")
    package static let valueProvided = invalid("value is provided")
    package static let leaseProvided = invalid("lease is provided")
    package static let tooManyOperations = invalid("too many operations in txn request")
    package static let duplicateKey = invalid("duplicate key given in txn request")
    package static let invalidSortOption = invalid("invalid sort option")
    package static let leaseNotFound = KeyspaceError(
        code: Code.notFound, message: "etcdserver: requested lease not found")
    package static let compacted = KeyspaceError(
        code: Code.outOfRange, message: "etcdserver: mvcc: required revision has been compacted")
    package static let futureRevision = KeyspaceError(
        code: Code.outOfRange,
        message: "etcdserver: mvcc: required revision is a future revision")
    /// The quota is used up.
    package static let noSpace = KeyspaceError(
        code: Code.resourceExhausted, message: "etcdserver: mvcc: database space exceeded")
    package static let tooManyRequests = KeyspaceError(
        code: Code.resourceExhausted, message: "etcdserver: too many requests")
    /// The answer exceeds what one gRPC message can hold.
    package static let answerTooLarge = KeyspaceError(
        code: Code.resourceExhausted,
        message: "grpc: trying to send message larger than max (\(Limits.answerBytes))")
    package static let corrupt = KeyspaceError(
        code: Code.dataLoss, message: "etcdserver: corrupt cluster")

    /// The result of reading a request's message, or that it is malformed.
    package static func refusingMalformed<Message>(_ read: () throws(MalformedBytes) -> Message)
        throws(KeyspaceError) -> Message
    {
        do throws(MalformedBytes) {
            return try read()
        } catch {
            throw .malformed(error.reason)
        }
    }

    /// The bytes are no message of the kind they claim to be.
    package static func malformed(_ reason: String) -> KeyspaceError {
        KeyspaceError(
            code: Code.internalError, message: "grpc: error unmarshalling request: \(reason)")
    }
}
