import SynodBytes
import SynodCheck
import SynodNode
import SynodPaxos

/// G4: what a few know and take with them.
///
/// A proposer stops with a slot granted. Its leader abandons the slot, of which only some hear, fewer
/// than decide it. Then the leader dies together with these, and the proposer goes on: its entry can
/// be chosen yet. Others accept nothing all that time, so that majorities meet in a few replicas only.
struct Confinement {
    let number: Int
    let leader: Int
    let proposer: Int
    /// Who hears the leader abandon slots.
    let heard: [Int]
    /// Who is asked to accept nothing.
    let deaf: [Int]
    var hasAbandoned = false
}

extension Simulation {
    /// A leader is about to grant a slot.
    func confine(_ leader: Host, granting proposer: Host) {
        guard confinement == nil, hosts.count > 4,
            hosts.allSatisfy({ $0.isUp && !$0.isPaused }), happens(.g4, in: 64)
        else { return }
        tally.fired(.g4)
        let others = hosts.indices.filter { $0 != leader.index && $0 != proposer.index }
        let (heard, deaf) = nemesis.draw(.g4) { chance in
            let shuffled = chance.shuffled(others)
            let deaf = shuffled.prefix(chance.index(hosts.count - membership.majority))
            let heard = shuffled.dropFirst(deaf.count).prefix(
                chance.index(membership.majority - 1))
            return (Array(heard), Array(deaf))
        }
        confinements += 1
        confinement = Confinement(
            number: confinements, leader: leader.index, proposer: proposer.index, heard: heard,
            deaf: deaf)
        note(
            "\(proposer.name) is granted a slot that only \(names(heard)) will hear abandoned; "
                + "\(names(deaf)) accept nothing")
        pause(proposer, for: .seconds(3600))
        // Those who fled from the last failure come back. Not to the deaf: they would propose.
        let open = hosts.indices.filter { !deaf.contains($0) }
        for index in clients.all.indices where !clients.all[index].isProbe {
            clients.all[index].host = open[index % open.count]
        }
        push(.confinement(number: confinements), after: plan.timing.suspicion * 8)
    }

    private func names(_ indices: [Int]) -> String {
        indices.isEmpty ? "nobody" : indices.map { hosts[$0].name }.joined(separator: ", ")
    }

    /// Takes out what is not to be heard.
    func confined(_ messages: [Bytes], from host: Host, to peer: ReplicaID) -> [Bytes] {
        guard let current = confinement, let to = index(of: peer) else { return messages }
        if current.deaf.contains(to) {
            return messages.filter { $0.first != MessageTag.accept }
        }
        guard current.leader == host.index, messages.contains(where: Self.isAbandonment) else {
            return messages
        }
        if !current.hasAbandoned {
            confinement!.hasAbandoned = true
            let rest = nemesis.draw(.g4) { $0.interval(below: plan.timing.suspicion) }
            push(.confinement(number: current.number), after: rest)
            askAround(current, within: rest)
        }
        guard !current.heard.contains(to) else { return messages }
        return messages.filter { !Self.isAbandonment($0) }
    }

    /// Reads what the proposer's clients are about to write, where least is known of it.
    private func askAround(_ current: Confinement, within rest: Interval) {
        let keys = clients.all.filter { !$0.isProbe }.compactMap { client -> Bytes? in
            guard let call = client.call.map({ clients.calls[Int($0)] }),
                call.host == current.proposer, case .put(let key, _, _)? = call.request
            else { return nil }
            return key
        }
        for key in keys {
            for host in [current.leader] + current.heard + current.deaf {
                let wait = nemesis.draw(.g4) { $0.interval(below: rest) }
                push(.curiosity(host: host, key: key), after: wait)
            }
        }
    }

    func read(_ key: Bytes, at host: Int) {
        guard !nemesis.isStopped else { return }
        let client = clients.addProbe(at: host)
        _ = call(
            .range(SynodCheck.KeyRange(key: key), isSerializable: false), by: client, at: host)
    }

    private static func isAbandonment(_ message: Bytes) -> Bool {
        guard message.first == MessageTag.accept,
            case .accept(let ballot, _, _)? = try? Message(encoded: message)
        else { return false }
        return ballot.attempt == 1
    }

    func endConfinement(_ number: Int) {
        guard let ending = confinement, ending.number == number else { return }
        confinement = nil
        resume(hosts[ending.proposer])
        guard ending.hasAbandoned, !nemesis.isStopped else { return }
        push(
            .deaths([ending.leader] + ending.heard),
            after: nemesis.draw(.g4) { $0.interval(below: .milliseconds(20)) })
    }

    func die(_ victims: [Int]) {
        guard !nemesis.isStopped else { return }
        for index in victims { crash(hosts[index], restartAfter: nemesis.outage()) }
    }
}
