/// Why a stream or a connection ends (RFC 9113, section 7).
package enum ErrorCode: UInt32, Sendable {
    case noError = 0
    case protocolError = 1
    case flowControl = 3
    case streamClosed = 5
    case frameSize = 6
    case refusedStream = 7
    case compression = 9
    case enhanceYourCalm = 11
}

/// The peer broke a rule, and the connection cannot go on (RFC 9113, section 5.4.1).
package struct ConnectionError: Error, Sendable {
    package let code: ErrorCode
    /// For the people at the other end, who find it in GOAWAY.
    package let reason: StaticString

    init(_ code: ErrorCode, _ reason: StaticString) {
        self.code = code
        self.reason = reason
    }

    static let compression = ConnectionError(.compression, "malformed header block")
    static let tooLargeHeaders = ConnectionError(.enhanceYourCalm, "too large headers")
    static let windowOverflow = ConnectionError(.flowControl, "a window exceeds its maximum")
    static let frameSize = ConnectionError(.frameSize, "a frame has the wrong size")
}
