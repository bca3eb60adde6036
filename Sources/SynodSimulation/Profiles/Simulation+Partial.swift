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
            run(until: now + .seconds(8)) { hasCommonLeader }
            guard failure == nil,
                let leader = hosts.firstIndex(where: { $0.glance?.isLeading == true })
            else { continue }
            let other = nemesis.draw(.n7) { ($0.index(hosts.count - 1) + leader + 1) % hosts.count }
            // The centre is not the leader, whom the graph may take away.
            note("\(graph.rawValue) around r\(other + 1), without r\(leader + 1)")
            links.keepOnly {
                graph.connects($0, $1, count: hosts.count, centre: other, other: leader)
            }
            expectProgress(on: graph)
        }
    }

    private var hasCommonLeader: Bool {
        guard let leader = hosts[0].glance?.leader else { return false }
        return hosts.allSatisfy { $0.glance?.leader == leader }
    }

    /// Somebody's request is answered in time.
    private func expectProgress(on graph: Graph) {
        let start = now
        let bound = plan.timing.election * 10
        var calls: [UInt64] = []
        // Requests come all the time, for one that was handed to the old leader waits for him.
        run(until: now + .milliseconds(1))
        while failure == nil, now < start + bound, !calls.contains(where: clients.isAnswered) {
            for host in hosts {
                let client = clients.addProbe(at: host.index)
                calls.append(
                    call(
                        .put(key: Bytes(graph.rawValue.utf8), value: Bytes("\(client)".utf8)),
                        by: client,
                        at: host.index))
            }
            run(until: now + .milliseconds(200)) { calls.contains(where: clients.isAnswered) }
        }
        let isAnswered = calls.contains(where: clients.isAnswered)
        let isPossible = hosts.contains { centre in
            hosts.count { $0 === centre || links.connects(centre.index, $0.index) }
                >= membership.majority
        }
        figures.append(
            Figure(
                graph.rawValue,
                isAnswered ? "goes on after \(now.since(start).text)" : "no connected majority"))
        if isPossible, !isAnswered {
            fail(.liveness, "N7", "no progress on the graph \(graph.rawValue) within \(bound.text)")
        }
    }
}
