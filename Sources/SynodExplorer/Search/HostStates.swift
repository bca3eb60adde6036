import SynodPaxos

/// All states of one replica that were met, and where each event leads from each: the core is
/// stepped once for every pair of the two, however many states of the cluster they are part of.
struct HostStates {
    private let stepper: HostStepper
    private var hosts = Interner<Host>()
    private(set) var summaries: [Summary] = []
    private var looks = Interner<Look>()
    private var outcomes = Interner<Outcome>()
    private var deliveries = WordMap()
    private var inner: [[(event: Event, outcome: Outcome)]?] = []
    private(set) var steps = 0

    /// What the search looks at most.
    struct Summary {
        /// What a judge of the whole cluster looks at: equal numbers, equal looks.
        let look: Int32
        /// Whether a write is under way of which it makes no difference when it completes.
        let isWriting: Bool
    }

    private struct Look: Hashable {
        let votes: Marks
        let proposed: Marks
        let promised: Ballot

        init(_ host: Host) {
            votes = host.votes
            proposed = host.proposed
            promised = host.disk.durable.promised
        }
    }

    /// What an event does: the replica's next state, and what it says and takes for chosen.
    struct Outcome: Hashable {
        let next: Int32
        let deed: Host.Deed
    }

    init(_ stepper: HostStepper) {
        self.stepper = stepper
    }

    var count: Int { hosts.count }

    subscript(number: Int32) -> Host { hosts[number] }

    /// The number of a state whose deed is empty.
    mutating func number(_ host: Host) -> Int32 {
        let (number, isNew) = hosts.intern(host)
        guard isNew else { return number }
        inner.append(nil)
        summaries.append(
            Summary(look: looks.intern(Look(host)).number, isWriting: isWriting(host)))
        return number
    }

    /// The write of a follower commutes with everything else unless a crash can lose it: it changes
    /// nothing in the replica, and what is sent by it need not arrive at once.
    private func isWriting(_ host: Host) -> Bool {
        !host.disk.unsynced.isEmpty
            && (host.replica.isFollowing || stepper.scope.hasPromptDisks)
            && host.crashes == stepper.scope.crashes(of: host.index)
    }

    // MARK: Events

    mutating func deliver(_ packet: Int32, to host: Int32) throws(Violation) -> Outcome {
        let key = WordMap.pair(host, packet)
        if let known = deliveries[key] { return outcomes[Int32(known)] }
        let outcome = try take(.delivery(packet), host)
        deliveries.add(key, UInt32(outcomes.intern(outcome).number))
        return outcome
    }

    /// What can happen within the replica.
    mutating func innerEvents(
        of host: Int32
    ) throws(Violation) -> [(event: Event, outcome: Outcome)] {
        if let known = inner[Int(host)] { return known }
        var result: [(event: Event, outcome: Outcome)] = []
        for event in events(of: hosts[host]) {
            let outcome = try take(event, host)
            if outcome != Outcome(next: host, deed: Host.Deed()) { result.append((event, outcome)) }
        }
        inner[Int(host)] = result
        return result
    }

    private func events(of host: Host) -> [Event] {
        let scope = stepper.scope
        var events = [Event.wake]
        if !host.disk.unsynced.isEmpty { events.append(.sync) }
        if host.campaigns < scope.campaigns(of: host.index) { events.append(.campaign) }
        if host.crashes < scope.crashes(of: host.index) {
            events.append(.crash(keepingState: false))
            if host.disk.unsynced.isEmpty, host.executedThrough > host.disk.durable.stateThrough {
                events.append(.crash(keepingState: true))
            }
        }
        guard scope.proposers == .everyone, host.replica.isLeading else { return events }
        events.append(.repetition)
        if host.abandonments < scope.abandonments {
            for other in 0..<scope.replicas where other != host.index {
                events.append(.abandonment(of: other))
            }
        }
        return events
    }

    private mutating func take(_ event: Event, _ host: Int32) throws(Violation) -> Outcome {
        var next = hosts[host]
        steps += 1
        do {
            try stepper.take(event, &next)
        } catch {
            var violation = error
            violation.event = stepper.describe(event, at: next.index)
            throw violation
        }
        let deed = next.deed
        next.deed = Host.Deed()
        return Outcome(next: number(next), deed: deed)
    }
}
