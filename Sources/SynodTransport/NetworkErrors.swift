import NIOCore
import NIOPosix

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// What the transport could not do at start, in words for whoever started it.
package struct TransportError: Error, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// An error of the network in a few words, without the names of system calls.
package func brief(_ error: any Error) -> String {
    switch error {
    case let error as IOError:
        return String(cString: strerror(error.errnoCode))
    case let error as NIOConnectionError:
        if let first = error.connectionErrors.first { return brief(first.error) }
        return "\(error.host) cannot be resolved"
    case let error as ChannelError:
        if case .connectTimeout = error { return "no answer in time" }
        return "\(error)"
    default:
        return "\(error)"
    }
}

/// Whether the error says that the peer's side ended the connection, rather than silence.
package func isReset(_ error: any Error) -> Bool {
    guard let code = (error as? IOError)?.errnoCode else { return false }
    return code == ECONNRESET || code == EPIPE
}
