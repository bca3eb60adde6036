import NIOCore
import NIOPosix
import SynodGRPC
import Testing

/// Both halves over a real socket.
@Suite struct LoopbackTests {
    private func withServer(
        limits: GRPCLimits = GRPCLimits(),
        _ body: @Sendable (SocketAddress) async throws -> Void
    ) async throws {
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    _ = try ServerConnection.configure(
                        channel, service: EchoService(), limits: limits)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let address = try #require(server.localAddress)
        try await body(address)
        try await server.close()
    }

    /// Makes `count` calls at once on one connection and returns the answers by index.
    private func calls(
        _ count: Int, path: String, size: Int, to address: SocketAddress,
        timeout: TimeAmount = .seconds(20)
    ) async throws -> [Result<[UInt8], Status>] {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = eventLoop.makePromise(of: [Result<[UInt8], Status>].self)
        // All of it on the event loop, so that the handlers are there before the first bytes.
        eventLoop.execute {
            ClientBootstrap(group: eventLoop).connect(to: address).whenComplete { connected in
                do {
                    let connection = try ClientConnection.configure(
                        connected.get(), authority: "any"
                    ) {}
                    var results = [Result<[UInt8], Status>?](repeating: nil, count: count)
                    for index in 0..<count {
                        let message = [UInt8](repeating: UInt8(index % 251), count: size)
                        connection.unary(path: path, message: message, timeout: timeout) { result in
                            results[index] = result.map { Array($0.readableBytesView) }
                            let all = results.compactMap { $0 }
                            guard all.count == count else { return }
                            promise.succeed(all)
                            connection.close()
                        }
                    }
                    connection.flush()
                } catch {
                    promise.fail(error)
                }
            }
        }
        let results = try await promise.futureResult.get()
        return results
    }

    @Test(arguments: [(1_000, 10), (64, 100_000), (8, 2_000_000)])
    func manyCallsAtOnce(count: Int, size: Int) async throws {
        try await withServer { address in
            let results = try await calls(count, path: EchoService.unary, size: size, to: address)
            for (index, result) in results.enumerated() {
                let expected = [UInt8](repeating: UInt8(index % 251), count: size)
                let isEqual = try result.get() == expected
                #expect(isEqual, "answer \(index)")
            }
        }
    }

    @Test func theClientSeesStatusAndMessage() async throws {
        try await withServer { address in
            let results = try await calls(1, path: EchoService.refuse, size: 0, to: address)
            #expect(
                results == [.failure(Status(.invalidArgument, "no 100% good: \u{e9}"))])
        }
    }

    @Test func theClientGivesUpAtItsDeadline() async throws {
        try await withServer { address in
            let results = try await calls(
                3, path: EchoService.silent, size: 1, to: address, timeout: .milliseconds(50))
            for result in results {
                #expect(throws: Status(.deadlineExceeded, "context deadline exceeded")) {
                    try result.get()
                }
            }
        }
    }

    @Test func oversizedMessagesAreRefusedWhileTheyAreSent() async throws {
        try await withServer { address in
            let results = try await calls(
                2, path: EchoService.unary, size: 3_000_000, to: address)
            for result in results {
                #expect(
                    throws: Status(
                        .resourceExhausted,
                        "grpc: received message larger than max (3000000 vs. 2097152)")
                ) { try result.get() }
            }
        }
    }
}
