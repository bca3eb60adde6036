import Logging
import NIOCore
import NIOPosix
import SynodBytes
import SynodTransport

/// A transport with an owner that records: by default it takes everyone whose hello is one byte
/// as the peer of that number and answers with its own number.
struct Member: Sendable {
    let id: PeerID
    let recorder: Recorder
    let transport: PeerTransport
    let address: PeerAddress
    let log: LogBook

    init(
        _ id: UInt64, port: Int = 0, limits: TransportLimits = .quick,
        versions: WireVersions = .current,
        judge: (@Sendable (Bytes) -> Recorder.Verdict)? = nil
    ) async throws {
        self.id = PeerID(id)
        let usual: @Sendable (Bytes) -> Recorder.Verdict = { hello in
            .accept(PeerID(UInt64(hello[0])), reply: [UInt8(id)])
        }
        recorder = Recorder(judge: judge ?? usual)
        let log = LogBook()
        self.log = log
        transport = PeerTransport(
            configuration: TransportConfiguration(
                listen: [PeerAddress(host: "127.0.0.1", port: port)], limits: limits,
                versions: versions),
            events: recorder, group: MultiThreadedEventLoopGroup.singleton,
            logger: Logger(label: "test") { _ in log })
        recorder.attach(transport)
        address = try await transport.listen()[0]
    }

    /// Dials another member under its own name.
    func dial(_ other: Member) {
        dial(other.id, at: other.address)
    }

    func dial(_ peer: PeerID, at address: PeerAddress) {
        transport.dial(peer, at: [address], hello: [UInt8(id.rawValue)])
    }

    func dialAndWait(_ other: Member) async -> Bool {
        dial(other)
        return await recorder.wait(for: .accepted(other.id, reply: [UInt8(other.id.rawValue)]))
    }

    func statistics(_ peer: PeerID) -> PeerStatistics {
        transport.statistics()[peer] ?? PeerStatistics()
    }

    func shutdown() async {
        await transport.shutdown()
        recorder.attach(nil)
    }
}

extension TransportLimits {
    /// Shorter waits than in production.
    static var quick: TransportLimits {
        var limits = TransportLimits()
        limits.longestBackoff = .milliseconds(100)
        return limits
    }
}
