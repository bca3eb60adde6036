public import NIOCore
public import NIOPosix
public import SwiftProtobuf
import Synchronization

/// A client of an etcd-compatible cluster. Safe to share between tasks.
///
/// It connects when it is first used. All calls go to one endpoint until that fails; then to the
/// next one in the list, and so on in turn. A task that is cancelled tries no further endpoint.
public final class SynodClient: Sendable {
    /// When a failed call is tried again at the next endpoint, until its timeout.
    public enum RetryPolicy: Sendable {
        /// Only while no server can have seen the request: right for every call.
        case unsent
        /// Whenever the answer is Unavailable: for calls that do no harm when done twice.
        case always
    }

    /// The endpoints as they were given.
    public let endpoints: [String]

    private let configuration: ClientConfiguration
    private let links: [NIOLoopBoundBox<EndpointLink>]
    private let eventLoops: [any EventLoop]
    /// Counts the endpoints given up on; its remainder is the endpoint in use.
    private let rotation = Atomic<Int>(0)
    private let isClosed = Atomic<Bool>(false)

    /// - Parameters:
    ///   - endpoints: At least one, each as `host:port` or `http://host:port`.
    ///   - group: Where the connections live; by default the process-wide group.
    /// - Throws: InvalidArgument when an endpoint is malformed or there is none.
    public init(
        endpoints: [String], configuration: ClientConfiguration = ClientConfiguration(),
        group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) throws(ClientError) {
        guard !endpoints.isEmpty else {
            throw ClientError(code: .invalidArgument, message: "no endpoint is given")
        }
        var links: [NIOLoopBoundBox<EndpointLink>] = []
        var eventLoops: [any EventLoop] = []
        for endpoint in endpoints {
            let eventLoop = group.next()
            let link = try EndpointLink(
                endpoint: endpoint, eventLoop: eventLoop, configuration: configuration)
            links.append(NIOLoopBoundBox.makeBoxSendingValue(link, eventLoop: eventLoop))
            eventLoops.append(eventLoop)
        }
        self.endpoints = endpoints
        self.configuration = configuration
        self.links = links
        self.eventLoops = eventLoops
    }

    deinit {
        guard !isClosed.load(ordering: .relaxed) else { return }
        for (link, eventLoop) in zip(links, eventLoops) {
            eventLoop.execute { link.value.close() }
        }
    }

    /// One unary call.
    ///
    /// - Parameters:
    ///   - path: The method, as `/package.Service/Method`.
    ///   - endpoint: One of ``endpoints`` to ask that one only, without trying again.
    ///   - timeout: For the whole call; the configuration's by default.
    /// - Throws: What the server answered; Unavailable when none could be reached;
    ///   DeadlineExceeded after the timeout; InvalidArgument for an endpoint that is not in the list.
    public func unary<Request: Message, Response: Message>(
        _ path: String, _ request: Request, endpoint: String? = nil,
        retry: RetryPolicy = .unsent, timeout: Duration? = nil
    ) async throws(ClientError) -> Response {
        let bytes = try Self.encode(request)
        let answer = try await call(
            path, bytes, endpoint: endpoint, retry: retry,
            timeout: .nanoseconds((timeout ?? configuration.callTimeout).nanoseconds))
        do {
            return try Response(serializedBytes: answer)
        } catch {
            throw ClientError(code: .internal, message: "the answer is malformed: \(error)")
        }
    }

    /// Ends all connections. Calls in flight fail, and so does every later one.
    public func close() async {
        isClosed.store(true, ordering: .relaxed)
        for (link, eventLoop) in zip(links, eventLoops) {
            try? await eventLoop.submit { link.value.close() }.get()
        }
    }

    private func call(
        _ path: String, _ message: [UInt8], endpoint: String?, retry: RetryPolicy,
        timeout: TimeAmount
    ) async throws(ClientError) -> [UInt8] {
        if let endpoint {
            guard let index = endpoints.firstIndex(of: endpoint) else {
                throw ClientError(
                    code: .invalidArgument, message: "\(endpoint) is none of the endpoints")
            }
            return try await attempt(path, message, at: index, timeout: timeout)
                .mapError(\.error).get()
        }
        let deadline = NIODeadline.now() + timeout
        while true {
            let count = rotation.load(ordering: .relaxed)
            let result = await attempt(
                path, message, at: count % endpoints.count, timeout: deadline - .now())
            switch result {
            case .success(let answer):
                return answer
            case .failure(let failure):
                let code = failure.error.code
                guard code == .unavailable || code == .deadlineExceeded else {
                    throw failure.error
                }
                // Only the first of many failing callers turns to the next endpoint.
                _ = rotation.compareExchange(
                    expected: count, desired: count &+ 1, ordering: .relaxed)
                let mayRetry = retry == .always || !failure.mayHaveRun
                guard code == .unavailable, mayRetry, deadline - .now() > Self.pause else {
                    throw failure.error
                }
                if (count + 1) % endpoints.count == 0 {
                    try? await Task.sleep(nanoseconds: UInt64(Self.pause.nanoseconds))
                }
                if Task.isCancelled {
                    throw ClientError(code: .cancelled, message: "the task was cancelled")
                }
            }
        }
    }

    /// The pause after every endpoint was tried once.
    private static let pause = TimeAmount.milliseconds(20)

    private func attempt(
        _ path: String, _ message: [UInt8], at index: Int, timeout: TimeAmount
    ) async -> Result<[UInt8], CallFailure> {
        let link = links[index]
        return await withCheckedContinuation { continuation in
            eventLoops[index].execute {
                link.value.unary(path: path, message: message, timeout: timeout) { result in
                    continuation.resume(returning: result.map { Array($0.readableBytesView) })
                }
                link.value.flush()
            }
        }
    }

    private static func encode(_ request: some Message) throws(ClientError) -> [UInt8] {
        do {
            return try request.serializedBytes()
        } catch {
            throw ClientError(code: .invalidArgument, message: "\(error)")
        }
    }
}
