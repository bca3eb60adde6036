import NIOCore
import NIOPosix
import SynodMetrics
import SynodNode
import SynodTransport
import Testing

/// The metrics port over real sockets, beside a replica that is only played.
@Suite struct MetricsServerTests {
    private static let get = "GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n"

    private static let follower: MetricsServer.Source = {
        var status = ReplicaStatus()
        status.leader = 8
        let snapshot = MetricsSnapshot(status: status, leadersSeen: 1, peers: [:])
        return MultiThreadedEventLoopGroup.singleton.next().makeSucceededFuture(snapshot)
    }

    private func withServer(
        limits: MetricsLimits = .init(), source: @escaping MetricsServer.Source = follower,
        _ body: (Int) async throws -> Void
    ) async throws {
        // One loop takes connections in the order in which they were made.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = MetricsServer(
            identity: MetricsIdentity(member: 7, version: "3.6.5"), group: group, limits: limits,
            snapshot: source)
        let port = try #require(try await server.start(at: [("127.0.0.1", 0)]).first?.port)
        try await body(port)
        await server.shutdown()
        try await group.shutdownGracefully()
    }

    /// A head, and what comes behind it.
    private func parts(_ answer: String) -> (head: String, body: String) {
        // Swift takes a carriage return and a line feed for one character.
        guard let end = answer.firstRange(of: "\r\n\r\n") else { return (answer, "") }
        return (String(answer[..<end.lowerBound]), String(answer[end.upperBound...]))
    }

    @Test func metricsAreAnsweredInPrometheusFormat() async throws {
        try await withServer { port in
            let (head, body) = parts(try await Exchange.answer(to: Self.get, port: port))
            #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(head.contains("Content-Type: text/plain; version=0.0.4; charset=utf-8"))
            #expect(head.contains("Content-Length: \(body.utf8.count)"))
            #expect(head.contains("Connection: close"))
            #expect(body.contains("\netcd_server_has_leader 1\n"))
            #expect(body.contains("\nprocess_cpu_seconds_total "))
            #if !canImport(Darwin)
                #expect(body.contains("\nprocess_resident_memory_bytes "))
                #expect(body.contains("\nprocess_start_time_seconds "))
                #expect(body.contains("\nos_fd_used "))
            #endif
        }
    }

    @Test func aHeadIsAGetWithoutTheBody() async throws {
        try await withServer { port in
            let asked = Self.get.replacing("GET", with: "HEAD")
            let (head, body) = parts(try await Exchange.answer(to: asked, port: port))
            #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(!head.contains("Content-Length: 0"))
            #expect(body.isEmpty)
        }
    }

    @Test func healthIsEtcds() async throws {
        try await withServer { port in
            let asked = "GET /health?serializable=true HTTP/1.1\r\nHost: h\r\n\r\n"
            let (head, body) = parts(try await Exchange.answer(to: asked, port: port))
            #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(head.contains("Content-Type: application/json"))
            #expect(body == #"{"health":"true","reason":""}"#)
        }
        let leaderless: MetricsServer.Source = {
            let snapshot = MetricsSnapshot(status: ReplicaStatus(), leadersSeen: 0, peers: [:])
            return MultiThreadedEventLoopGroup.singleton.next().makeSucceededFuture(snapshot)
        }
        try await withServer(source: leaderless) { port in
            let asked = "GET /health HTTP/1.1\r\nHost: h\r\n\r\n"
            let (head, body) = parts(try await Exchange.answer(to: asked, port: port))
            #expect(head.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
            #expect(body == #"{"health":"false","reason":"RAFT NO LEADER"}"#)
        }
    }

    /// What is asked, and how the answer begins and what it advises.
    struct Mistake: Sendable, CustomTestStringConvertible {
        let request: String
        let status: String
        let advice: String

        init(_ request: String, _ status: String, _ advice: String) {
            (self.request, self.status, self.advice) = (request, status, advice)
        }

        var testDescription: String { "\(request.prefix(40).split(separator: "\r\n"))" }
    }

    private static let much = String(repeating: "x", count: 16_385)

    @Test(arguments: [
        Mistake("GET / HTTP/1.1\r\nHost: h\r\n\r\n", "404 Not Found", "GET /metrics"),
        Mistake("GET /metrics/ HTTP/1.1\r\nHost: h\r\n\r\n", "404 Not Found", "GET /metrics"),
        Mistake(
            "POST /metrics HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nx=1",
            "405 Method Not Allowed", "Use GET."),
        Mistake("DELETE /health HTTP/1.1\r\n\r\n", "405 Method Not Allowed", "Use GET."),
        Mistake("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400 Bad Request", "Use GET."),
        Mistake("\u{16}\u{3}\u{1}\u{2}\r\n\r\n", "400 Bad Request", "Use GET."),
        Mistake("GET /metrics HTTP/1.1\r\nno colon\r\n\r\n", "400 Bad Request", "Use GET."),
        Mistake("GET /\(much) HTTP/1.1\r\n\r\n", "413 ", "may have 16384 bytes and 100 headers"),
        Mistake(
            "GET / HTTP/1.1\r\nA: \(much)\r\n\r\n", "413 ", "may have 16384 bytes and 100 headers"),
        Mistake(
            "GET / HTTP/1.1\r\n\(String(repeating: "A: b\r\n", count: 101))\r\n", "413 ",
            "may have 16384 bytes and 100 headers"),
        Mistake(
            "POST / HTTP/1.1\r\nContent-Length: 16385\r\n\r\n\(much)", "413 ",
            "may have 16384 bytes and 100 headers"),
    ])
    func whoAsksWronglyIsToldWhatToDo(mistake: Mistake) async throws {
        try await withServer { port in
            let (head, body) = parts(try await Exchange.answer(to: mistake.request, port: port))
            #expect(head.hasPrefix("HTTP/1.1 \(mistake.status)"))
            #expect(head.contains("Connection: close"))
            #expect(head.contains("Allow: GET, HEAD") == mistake.status.hasPrefix("405"))
            #expect(body.contains(mistake.advice) && body.hasSuffix(".\n"))
            // Nor does it harm anybody else.
            #expect(try await Exchange.answer(to: Self.get, port: port).hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test func aConnectionCarriesOneRequest() async throws {
        try await withServer { port in
            let answer = try await Exchange.answer(to: Self.get + Self.get + "junk", port: port)
            #expect(answer.split(separator: "HTTP/1.1 ").count == 1)
        }
    }

    @Test func whoHasAskedMayEndTheSendingHalf() async throws {
        try await withServer { port in
            let exchange = try await Exchange(port: port)
            await exchange.send(Self.get)
            await exchange.endSending()
            #expect(try await exchange.answer().hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test func halfARequestIsNotWaitedForAfterItsEnd() async throws {
        try await withServer { port in
            let exchange = try await Exchange(port: port)
            await exchange.send("GET /metrics HT")
            await exchange.endSending()
            #expect(try await exchange.answer().hasPrefix("HTTP/1.1 400"))
            let silent = try await Exchange(port: port)
            await silent.endSending()
            #expect(try await silent.answer().isEmpty)
        }
    }

    @Test func whoIsSlowIsHungUpOn() async throws {
        var limits = MetricsLimits()
        limits.connectionMilliseconds = 200
        let mute: MetricsServer.Source = {
            MultiThreadedEventLoopGroup.singleton.next().scheduleTask(in: .hours(1)) { nil }
                .futureResult
        }
        try await withServer(limits: limits, source: mute) { port in
            for request in ["", "GET /metrics HTTP/1.1\r\nHost:", Self.get] {
                let answer = try await Exchange.answer(to: request, port: port)
                #expect(answer.isEmpty)
            }
        }
    }

    @Test func connectionsAreBounded() async throws {
        var limits = MetricsLimits()
        limits.connections = 4
        try await withServer(limits: limits) { port in
            var idle: [Exchange] = []
            for _ in 0..<4 { idle.append(try await Exchange(port: port)) }
            #expect(try await Exchange.answer(to: Self.get, port: port).isEmpty)
            for exchange in idle { await exchange.send(Self.get) }
            for exchange in idle {
                #expect(try await exchange.answer().hasPrefix("HTTP/1.1 200"))
            }
            #expect(try await Exchange.answer(to: Self.get, port: port).hasPrefix("HTTP/1.1 200"))
        }
    }

    @Test func aReplicaThatIsNotThereYetIsNoZero() async throws {
        let absent: MetricsServer.Source = {
            MultiThreadedEventLoopGroup.singleton.next().makeSucceededFuture(nil)
        }
        try await withServer(source: absent) { port in
            let (head, body) = parts(try await Exchange.answer(to: Self.get, port: port))
            #expect(head.hasPrefix("HTTP/1.1 503"))
            #expect(body.contains("Ask again"))
        }
    }

    @Test func aPortInUseIsNamed() async throws {
        try await withServer { port in
            let second = MetricsServer(
                identity: MetricsIdentity(member: 8, version: "3.6.5"),
                group: MultiThreadedEventLoopGroup.singleton, snapshot: Self.follower)
            let failure = await #expect(throws: MetricsServer.Failure.self) {
                try await second.start(at: [("127.0.0.1", port)])
            }
            #expect(failure?.address == "127.0.0.1:\(port)")
        }
    }
}
