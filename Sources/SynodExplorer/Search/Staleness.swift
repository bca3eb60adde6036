import SynodPaxos

/// Tells which packets can never do anything again, whatever else happens to their recipient.
///
/// Such a packet may be taken out of the network: the states with it and without it have the same
/// future. The reasons are those of the protocol, and none is taken on trust: a packet goes only
/// if its recipient, stepped, does nothing about it either (see ``Positions``), so that a core that
/// breaks its promise is still given the packet that shows it. That any packet makes a replica look
/// whether something is left to do is no reason to keep it: it may wake at any time.
struct Staleness {
    let scope: Scope

    /// - Parameter host: changes nothing and says nothing new when it is given the packet now.
    func isStale(_ packet: Packet, for host: Host) -> Bool {
        let promised = lastingPromise(host)
        let executed = lastingExecution(host)
        return switch packet.message {
        // A candidate below a promise is refused; its round is not news either. In a terse scope
        // a promise is also given once only.
        case .prepare(let ballot, _):
            ballot < promised || scope.isTerse && ballot == promised && ballot == host.answered
        // So is a leader. One that is followed is heard, and its entry is there already.
        // What another proposer was granted is kept: it may come when its slot is abandoned, and
        // get an answer when that is decided.
        case .accept(let ballot, _, _):
            ballot < promised
                || !canCrash(host) && ballot == promised && isOfLeader(ballot, packet)
        case .chosen(let progress): progress.ballot < promised
        // What a leader has counted stays counted, and no ballot is led twice. What it did not
        // count was accepted at the attempt that it has given up.
        case .accepted: true
        // What a candidate has counted stays counted, and no ballot is prepared twice. But a
        // promise also tells how far its sender has learned, which a crash forgets.
        case .promise(let promise): !canCrash(host) || promise.chosenThrough <= executed
        // Its time may come while that ballot leads.
        case .forward(let ballot, _, _, _):
            ballot.replica == host.replica.id && ballot < promised
        // Nothing is left to learn.
        case .fetched: executed.rawValue >= UInt64(scope.slots)
        default: false
        }
    }

    /// The least that it has promised at any later time.
    private func lastingPromise(_ host: Host) -> Ballot {
        canCrash(host) ? host.disk.durable.promised : host.replica.promised
    }

    /// The least that it has executed at any later time.
    private func lastingExecution(_ host: Host) -> Slot {
        canCrash(host) ? host.disk.durable.stateThrough : host.executedThrough
    }

    private func isOfLeader(_ ballot: Ballot, _ packet: Packet) -> Bool {
        ballot.replica == scope.membership.replicas[packet.from]
    }

    private func canCrash(_ host: Host) -> Bool { host.crashes < scope.crashes(of: host.index) }
}
