import EtcdWire
import Foundation
import SynodClient
import Testing

/// The same requests to a real etcd and to the server under test, and the same answers.
///
/// The reference may be etcd 3.4. What it does otherwise than the etcd whose contract is kept is
/// not asked of it: sort options outside of their enumeration (3.4 ignores them), HashKV at exactly
/// the compacted revision (3.4 refuses it) and HashKV's own revision (3.4 does not tell it). One
/// thing every etcd does otherwise is not asked either: a limit and a sort target without an order.
/// Nor is what makes a real etcd crash, see ``RandomRequests``.
@Suite(.enabled(if: Programs.etcd != nil, "no etcd is installed to compare with"))
struct DifferentialTests {
    private static let seeds: [UInt64] =
        ProcessInfo.processInfo.environment["SYNOD_SEED"].flatMap(UInt64.init).map { [$0] }
        ?? (Programs.runsLong ? Array(1...20) : [1, 2])
    private static let count = Programs.runsLong ? 10_000 : 2_000

    @Test(arguments: seeds)
    func answersEqualThoseOfARealEtcd(seed: UInt64) async throws {
        guard let etcd = Programs.etcd else { return }
        try await Cluster.run(size: 1, server: [etcd]) { reference in
            try await Cluster.run(size: 1) { tested in
                try await withClient(reference.replicas[0]) { expected in
                    try await withClient(tested.replicas[0]) { actual in
                        await compare(expected, actual, seed: seed)
                    }
                }
            }
        }
    }

    /// Goes on after the first differences, but not for long: they breed more.
    private func compare(_ expected: SynodClient, _ actual: SynodClient, seed: UInt64) async {
        var requests = RandomRequests(seed: seed)
        var differences = 0
        for number in 0..<Self.count where differences < 3 {
            let request = number == Self.count - 1 ? .hash(revision: 0) : requests.next()
            let reference = await ComparableAnswer(of: request, from: expected)
            let answer = await ComparableAnswer(of: request, from: actual)
            if answer != reference {
                differences += 1
                Issue.record(
                    """
                    seed \(seed), request \(number): \(request)
                    etcd answers:
                    \(reference)
                    and the server under test:
                    \(answer)
                    """)
            }
            if case .response(_, let revision) = reference {
                requests.revision = max(requests.revision, revision)
                if case .compact(let request) = request { requests.compacted = request.revision }
            }
        }
    }
}
