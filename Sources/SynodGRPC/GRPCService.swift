package import NIOCore

/// What a ``ServerConnection`` serves. All methods are called on the connection's event loop and
/// must not block; one instance may serve all connections of its loop.
package protocol GRPCService: AnyObject {
    /// The methods there are. Others are answered with Unimplemented without asking.
    var methods: MethodTable { get }

    /// A request message came: the only one of a method with a single request, or the next one.
    ///
    /// Answer now or at any later time on the event loop. The message's bytes share memory with
    /// the socket's buffer: copy what is to be kept.
    func received(
        _ message: ByteBuffer, of call: CallID, method: MethodIndex,
        on connection: ServerConnection)

    /// The client will send no more messages of a method with many.
    func halfClosed(_ call: CallID, method: MethodIndex, on connection: ServerConnection)

    /// The call ended before it was finished: by its client, its deadline or the connection's end.
    /// Answering it does nothing from now on.
    func cancelled(_ call: CallID, method: MethodIndex, on connection: ServerConnection)

    /// Everything that one read of the socket brought was delivered: the moment to pass requests on
    /// together.
    func readCompleted(on connection: ServerConnection)
}

/// Names a call of one connection. Once the call is over, using it does nothing.
package typealias CallID = SlabHandle

/// A method's place in its ``MethodTable``.
package struct MethodIndex: Hashable, Sendable {
    package let rawValue: Int

    package init(rawValue: Int) {
        self.rawValue = rawValue
    }
}

/// How many messages a client sends in one call of a method.
package enum RequestShape: Sendable {
    /// Exactly one, delivered once the client has said that it sends no more.
    case single
    /// Any number, each delivered as it comes.
    case many
}

/// The methods of a server by their paths.
package struct MethodTable: Sendable {
    package struct Method: Sendable {
        /// As it comes in `:path`: `/package.Service/Method`.
        package let path: String
        package let requests: RequestShape

        package init(path: String, requests: RequestShape) {
            self.path = path
            self.requests = requests
        }
    }

    private let methods: [Method]
    private let indices: [String: Int]
    private let services: Set<Substring>

    /// - Parameter methods: A method's place here is its ``MethodIndex``.
    package init(_ methods: [Method]) {
        self.methods = methods
        indices = Dictionary(
            uniqueKeysWithValues: methods.enumerated().map { ($1.path, $0) })
        services = Set(methods.compactMap { Self.split($0.path)?.service })
    }

    func index(path: String) -> MethodIndex? {
        indices[path].map(MethodIndex.init(rawValue:))
    }

    subscript(index: MethodIndex) -> Method { methods[index.rawValue] }

    /// What to answer for a path that ``index(path:)`` does not know, in the words of gRPC for Go.
    func refusal(path: String) -> Status {
        guard let (service, method) = Self.split(path) else {
            return Status(.unimplemented, "malformed method name: \"\(path)\"")
        }
        return services.contains(service)
            ? Status(.unimplemented, "unknown method \(method) for service \(service)")
            : Status(.unimplemented, "unknown service \(service)")
    }

    private static func split(_ path: String) -> (service: Substring, method: Substring)? {
        guard path.hasPrefix("/"), let slash = path.lastIndex(of: "/"), slash != path.startIndex
        else {
            return nil
        }
        let service = path[path.index(after: path.startIndex)..<slash]
        return (service, path[path.index(after: slash)...])
    }
}
