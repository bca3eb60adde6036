import SynodBytes
import SynodCheck
import SynodNode
import SynodPaxos

/// The run of the `partial` profile: one graph after the other, each of which must let somebody
/// make progress if it leaves a replica that is connected to a majority.
extension Simulation {
    func runPartial() {
        for graph in Graph.allCases where failure == nil {
            links.healCuts()
            run(until: now + .seconds(8)) { commonLeader != nil }
            guard failure == nil else { return }
            guard let leader = hosts.firstIndex(where: { $0.glance?.isLeading == true }) else {
                return fail(
                    .liveness, "N7", "nobody leads eight seconds after all links were healed")
            }
            let other = nemesis.draw(.n7) { ($0.index(hosts.count - 1) + leader + 1) % hosts.count }
            // The centre is not the leader, whom the graph may take away.
            note("\(graph.rawValue) around r\(other + 1), without r\(leader + 1)")
            cut = (.n7, cut.number + 1)
            links.keepOnly {
                graph.connects($0, $1, count: hosts.count, centre: other, other: leader)
            }
            expectProgress(on: graph)
        }
    }

    /// Somebody is answered in time if a majority is connected to anybody, and everybody in it where
    /// a majority is connected with one another.
    private func expectProgress(on graph: Graph) {
        let start = now
        let bound = plan.timing.election * 10
        let due = connectedMajorities
        var calls: [(host: Int, call: UInt64)] = []
        var answered: Set<Int> {
            Set(calls.lazy.filter { self.clients.isAnswered($0.call) }.map(\.host))
        }
        var isServed: Bool { !answered.isEmpty && due.isSubset(of: answered) }
        // Requests come all the time, for one that was handed to the old leader waits for him.
        run(until: now + .milliseconds(1))
        repeat {
            for host in hosts {
                let client = clients.addProbe(at: host.index)
                let put = Request.put(
                    key: Bytes(graph.rawValue.utf8), value: Bytes("\(client)".utf8))
                calls.append((host.index, call(put, by: client, at: host.index)))
            }
            run(until: now + .milliseconds(200)) { isServed }
        } while failure == nil && now < start + bound && !isServed
        let isPossible = hosts.contains { centre in
            hosts.count { $0 === centre || links.connects(centre.index, $0.index) }
                >= membership.majority
        }
        figures += [
            Figure(
                "\(graph.rawValue) goes on after",
                times: answered.isEmpty ? [] : [now.since(start)], .p50, .p99, .max),
            Figure(
                "\(graph.rawValue) has no connected majority", count: isPossible ? nil : 1, .total),
        ]
        guard failure == nil, isPossible else { return }
        if answered.isEmpty {
            fail(.liveness, "N7", "no progress on the graph \(graph.rawValue) within \(bound.text)")
        } else if let left = due.subtracting(answered).min() {
            fail(
                .liveness, "N7",
                "\(hosts[left].name), one of a connected majority, is not served on the graph "
                    + "\(graph.rawValue) within \(bound.text)")
        }
    }

    /// The replicas of all majorities whose members are connected with one another.
    private var connectedMajorities: Set<Int> {
        var found: Set<Int> = []
        for mask in 1..<(1 << hosts.count) where mask.nonzeroBitCount >= membership.majority {
            let members = hosts.indices.filter { mask >> $0 & 1 == 1 }
            let isConnected = members.allSatisfy { one in
                members.allSatisfy { $0 == one || links.connects(one, $0) }
            }
            if isConnected { found.formUnion(members) }
        }
        return found
    }
}
