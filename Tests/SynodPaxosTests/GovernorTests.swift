import SynodBytes
import SynodPaxos
import Testing

/// Who proposes follows from what is measured.
struct GovernorTests {
    private static let large = 10 * 16_384
    private static let small = 10 * 256

    private var governor = Governor(policy: .automatic)
    private var now = Instant(nanoseconds: 1_000_000_000)

    /// Decides for ten commands.
    private mutating func proposes(_ bytes: Int, backlog: UInt64 = 0) -> Bool {
        governor.proposes(10, bytes: bytes, leaderBacklog: backlog, now)
    }

    private mutating func wait(_ milliseconds: UInt64) {
        now = now + .milliseconds(milliseconds)
    }

    // MARK: One governor

    /// Large commands are proposed here, small ones forwarded, and in between it stays as it is.
    @Test mutating func sizeDecides() {
        #expect(!proposes(Self.small))
        #expect(proposes(Self.large))
        #expect(proposes(10 * 3_000))
        #expect(!proposes(Self.small))
        #expect(!proposes(10 * 3_000))
    }

    /// Failures make for fewer slots, and then for none for a while.
    @Test mutating func failuresMakeForFewerSlots() {
        let before = governor.slots
        governor.failed(now)
        #expect(governor.slots < before)
        governor.failed(now)
        governor.failed(now)
        #expect(!proposes(Self.large))
        wait(501)
        #expect(proposes(Self.large))
        for _ in 0..<200 { governor.succeeded(isLate: false, .distantFuture) }
        #expect(governor.slots == Int(Limits.grants))
    }

    /// Small commands are proposed here, too, once the leader has had too much to do for long.
    @Test mutating func aLongBacklogOfTheLeaderIsRelieved() {
        #expect(!proposes(Self.small, backlog: 4))
        wait(199)
        #expect(!proposes(Self.small, backlog: 3))
        wait(1)
        #expect(proposes(Self.small, backlog: 3))
        // Relieved, it is not left to itself at once.
        for _ in 0..<49 {
            wait(100)
            #expect(proposes(Self.small))
        }
        wait(101)
        #expect(!proposes(Self.small))
    }

    @Test mutating func aBacklogThatDoesNotLastIsNone() {
        for _ in 0..<100 {
            #expect(!proposes(Self.small, backlog: 100))
            wait(100)
            #expect(!proposes(Self.small, backlog: 0))
            wait(100)
            #expect(!proposes(Self.small, backlog: 3))
            wait(100)
        }
    }

    /// Where large commands wait for others', slots get fewer, and one is left: forwarded, they would
    /// leave by the leader's link.
    @Test mutating func conflictsMakeForFewerSlots() {
        #expect(proposes(Self.large))
        let before = governor.slots
        governor.conflicted(now)
        #expect(governor.slots < before)
        for _ in 0..<20 { governor.conflicted(now) }
        #expect(proposes(Self.large))
        #expect(governor.slots == 1)
        for _ in 0..<36 { governor.succeeded(isLate: false, .distantFuture) }
        #expect(governor.slots == Int(Limits.grants))
    }

    /// Small ones, which are proposed to relieve the leader, are forwarded for two seconds then, however
    /// often that happens.
    @Test mutating func conflictsOfSmallCommandsMakeForNone() {
        #expect(!proposes(Self.small, backlog: 100))
        wait(200)
        for _ in 0..<20 {
            #expect(proposes(Self.small, backlog: 100))
            while proposes(Self.small, backlog: 100) { governor.conflicted(now) }
            wait(1_999)
            #expect(!proposes(Self.small, backlog: 100))
            wait(1)
        }
    }

    @Test mutating func withPolicyEveryoneConflictsAreObeyedByNobody() {
        governor = Governor(policy: .everyone)
        for _ in 0..<20 { governor.conflicted(now) }
        #expect(proposes(Self.small))
        for _ in 0..<20 { governor.failed(now) }
        #expect(!proposes(Self.small))
    }

    // MARK: A cluster of them

    private func automaticCluster(delay: Interval) -> (cluster: Cluster, leader: Int) {
        var options = Cluster.Options()
        options.proposers = [.automatic, .automatic, .automatic]
        options.quality.delay = delay
        let cluster = Cluster(options)
        #expect(cluster.run(atMost: .milliseconds(10_000)) { $0.isSettled })
        return (cluster, cluster.leader ?? 0)
    }

    /// Clients of all write large values to keys for so many milliseconds.
    private func write(_ cluster: Cluster, for milliseconds: Int, key: (Int) -> UInt8) {
        for number in 0..<milliseconds {
            for index in cluster.hosts.indices {
                var payload = Bytes(repeating: 7, count: 16_384)
                payload[0] = key(number * cluster.hosts.count + index)
                cluster.submit(payload, at: index, within: .milliseconds(1 << 30))
            }
            cluster.run(for: .milliseconds(1))
        }
    }

    private func counters(_ cluster: Cluster, _ index: Int) -> ProposerCounters {
        cluster.hosts[index].replica!.proposerCounters
    }

    /// All write one key: the proposers fall back to one slot, and expand when that ends.
    @Test func contentionMakesForFewerProposers() {
        let (cluster, leader) = automaticCluster(delay: .milliseconds(2))
        let others = cluster.hosts.indices.filter { $0 != leader }
        write(cluster, for: 500) { UInt8($0 % 251) }
        for index in others {
            #expect(counters(cluster, index).isProposing)
            #expect(counters(cluster, index).entriesProposed > 20)
            #expect(counters(cluster, index).slotsAllowed == Limits.grants)
        }
        #expect(counters(cluster, leader).activeProposers == 3)
        write(cluster, for: 4_000) { _ in 1 }
        let contended = others.map { counters(cluster, $0) }
        write(cluster, for: 1_000) { _ in 1 }
        for (index, before) in zip(others, contended) {
            let after = counters(cluster, index)
            #expect(after.commandsDelayed > 0)
            #expect(after.slotsAllowed == 1)
            #expect(after.entriesProposed > before.entriesProposed)
            #expect(after.batchesForwarded == before.batchesForwarded)
        }
        write(cluster, for: 5_000) { UInt8($0 % 251) }
        for index in others {
            #expect(counters(cluster, index).isProposing)
            #expect(counters(cluster, index).slotsAllowed == Limits.grants)
        }
        #expect(cluster.checker.failure == nil)
    }

    /// The leader has more to do than it gets done: what others write is proposed there, and it is
    /// forwarded again when that is over.
    @Test func aLeaderThatIsBehindIsRelieved() {
        let (cluster, leader) = automaticCluster(delay: .milliseconds(100))
        let other = (leader + 1) % 3
        let load = Bytes(repeating: 7, count: 2_000_000)
        func writeSmall(for seconds: Int, loads: Int) {
            for number in 0..<seconds * 20 {
                for _ in 0..<loads {
                    cluster.submit(load, at: leader, within: .milliseconds(1 << 30))
                }
                cluster.submit(
                    [UInt8(number % 251)], at: other, within: .milliseconds(1 << 30))
                cluster.run(for: .milliseconds(50))
            }
        }
        writeSmall(for: 2, loads: 0)
        #expect(counters(cluster, other).entriesProposed == 0)
        writeSmall(for: 3, loads: 10)
        #expect(counters(cluster, other).isProposing)
        #expect(counters(cluster, other).entriesProposed > 0)
        writeSmall(for: 8, loads: 0)
        #expect(!counters(cluster, other).isProposing)
        #expect(counters(cluster, other).switches == 2)
        #expect(cluster.checker.failure == nil)
    }

    /// Grants come so late that their slots are abandoned: soon nothing is asked for any more.
    @Test func aGrantThatComesLateIsAFailure() {
        let (cluster, leader) = automaticCluster(delay: .milliseconds(2))
        let other = (leader + 1) % 3
        var held: [Message] = []
        cluster.loses = { message, _, to in
            guard case .grant = message, to == other else { return false }
            held.append(message)
            return true
        }
        let command = cluster.submit(
            Bytes(repeating: 7, count: 16_384), at: other, within: .milliseconds(1 << 30))!
        for round in 1...3 as ClosedRange<UInt64> {
            cluster.run(for: .milliseconds(600))
            #expect(cluster.checker.slot(of: command) == nil)
            for late in held {
                cluster.queue.push(.deliver(late, from: leader, to: other), at: cluster.now)
            }
            held = []
            cluster.run(for: .milliseconds(20))
            #expect(counters(cluster, other).slotsLost == round)
        }
        #expect(!counters(cluster, other).isProposing)
        #expect(counters(cluster, other).batchesForwarded == 1)
        cluster.run(for: .milliseconds(600))
        #expect(cluster.checker.slot(of: command) != nil)
        #expect(cluster.checker.failure == nil)
    }

    /// What was granted and given up is counted where it was, after the leadership as well.
    @Test func whatALeaderHasCountedOutlivesItsLeadership() {
        var options = Cluster.Options()
        options.proposers = [.everyone, .everyone, .everyone]
        let cluster = Cluster(options)
        #expect(cluster.run(atMost: .milliseconds(10_000)) { $0.isSettled })
        let leader = cluster.leader!
        let silent = (leader + 1) % 3
        cluster.loses = { message, from, _ in
            if case .accept = message { from == silent } else { false }
        }
        cluster.submit([1], at: silent, within: .milliseconds(1 << 30))
        cluster.run(for: .milliseconds(1_000))
        cluster.submit([2], at: (leader + 2) % 3, within: .milliseconds(1 << 30))
        cluster.loses = { _, _, _ in false }
        cluster.run(for: .milliseconds(1_000))
        #expect(counters(cluster, leader).slotsAbandoned > 0)
        #expect(counters(cluster, leader).slotsGranted > counters(cluster, leader).slotsAbandoned)
        #expect(counters(cluster, silent).slotsLost == counters(cluster, leader).slotsAbandoned)
        let granted = counters(cluster, leader).slotsGranted
        cluster.loses = { _, from, to in from == leader || to == leader }
        cluster.run(for: .milliseconds(5_000))
        #expect(!cluster.hosts[leader].replica!.isLeading)
        #expect(counters(cluster, leader).slotsGranted == granted)
        #expect(counters(cluster, leader).activeProposers == 0)
        #expect(cluster.checker.failure == nil)
    }
}
