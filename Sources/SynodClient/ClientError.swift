/// Why a call failed: what the server answered, or what kept the call from being answered.
public struct ClientError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A gRPC status code.
    public struct Code: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// gRPC's number of the code, 1 to 16 for the codes that gRPC defines.
        public let rawValue: UInt8

        public init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        public static let cancelled = Code(rawValue: 1)
        public static let unknown = Code(rawValue: 2)
        public static let invalidArgument = Code(rawValue: 3)
        public static let deadlineExceeded = Code(rawValue: 4)
        public static let notFound = Code(rawValue: 5)
        public static let alreadyExists = Code(rawValue: 6)
        public static let permissionDenied = Code(rawValue: 7)
        public static let resourceExhausted = Code(rawValue: 8)
        public static let failedPrecondition = Code(rawValue: 9)
        public static let aborted = Code(rawValue: 10)
        public static let outOfRange = Code(rawValue: 11)
        public static let unimplemented = Code(rawValue: 12)
        public static let `internal` = Code(rawValue: 13)
        public static let unavailable = Code(rawValue: 14)
        public static let dataLoss = Code(rawValue: 15)
        public static let unauthenticated = Code(rawValue: 16)

        private static let names = [
            "OK", "Canceled", "Unknown", "InvalidArgument", "DeadlineExceeded", "NotFound",
            "AlreadyExists", "PermissionDenied", "ResourceExhausted", "FailedPrecondition",
            "Aborted", "OutOfRange", "Unimplemented", "Internal", "Unavailable", "DataLoss",
            "Unauthenticated",
        ]

        /// The code's name as gRPC's Go library spells it, which is how etcd's tools print it.
        public var description: String {
            let index = Int(rawValue)
            return index < Self.names.count ? Self.names[index] : "Code(\(rawValue))"
        }
    }

    public let code: Code
    /// The server's own words, or ours when no server answered.
    public let message: String
    /// False only when the request certainly reached no server, so that it has no effect and never
    /// will have one.
    public let mayHaveRun: Bool

    public init(code: Code, message: String, mayHaveRun: Bool = true) {
        self.code = code
        self.message = message
        self.mayHaveRun = mayHaveRun
    }

    public var description: String { "\(code): \(message)" }
}
