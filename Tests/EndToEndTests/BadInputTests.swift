import EtcdWire
import Foundation
import SynodBytes
import SynodClient
import Testing

/// Whatever arrives at a port, the replica goes on serving everybody else.
@Suite struct BadInputTests {
    @Test func garbageAtEitherPortHarmsNobody() async throws {
        try await Cluster.run(size: 3) { cluster in
            let replica = cluster.replicas[0]
            try await withClient(replica) { try await $0.put(.pair("k", "v")) }
            for garbage in Self.garbage {
                for port in [replica.clientPort, replica.peerPort] {
                    try Socket.send(garbage, to: port)
                }
            }
            for replica in cluster.replicas {
                #expect(replica.process.exitStatus == nil)
                let read = try await withClient(replica) { try await $0.range(.key("k")) }
                #expect(read.kvs.first?.value == Data("v".utf8))
            }
        }
    }

    @Test func aMessageThatIsTooLargeIsRefused() async throws {
        try await Cluster.run(size: 1) { cluster in
            try await withClient(cluster.replicas[0]) { client in
                let error = await #expect(throws: ClientError.self) {
                    try await client.put(.pair("k", String(repeating: "x", count: 3_000_000)))
                }
                #expect(error?.code == .resourceExhausted)
                _ = try await client.put(.pair("k", "v"))
            }
        }
    }

    /// Nothing, noise, another protocol, and beginnings of ours that go wrong later.
    private static let garbage: [Data] = {
        var chance = PRNG(seed: 1)
        let noise = Data((0..<100_000).map { _ in UInt8(truncatingIfNeeded: chance.next()) })
        let preface = Data("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
        let settings = Data([0, 0, 0, 4, 0, 0, 0, 0, 0])
        let headersOfNoise = Data([0, 0x40, 0, 1, 5, 0, 0, 0, 1]) + noise.prefix(0x4000)
        let hugeFrame = Data([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1])
        return [
            Data(), Data([0]), noise, Data(repeating: 0, count: 100_000),
            Data(repeating: 0xff, count: 100_000), Data("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8),
            preface.prefix(10), preface, preface + noise, preface + settings + headersOfNoise,
            preface + settings + hugeFrame, preface + settings + noise,
        ]
    }()
}
