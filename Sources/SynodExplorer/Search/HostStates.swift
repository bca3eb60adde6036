import SynodPaxos

/// All states of one replica that were met, and where each event leads from each: the core is
/// stepped once for every pair of the two, however many states of the cluster they are part of.
struct HostStates {
    private let stepper: HostStepper
    private var hosts = Interner<Host>()
    private(set) var summaries: [Summary] = []
    private var deliveries: [UInt64: Int32] = [:]
    private var inner: [[(event: Event, next: Int32)]?] = []
    /// By state and mail: the range in `reached`.
    private var ranges: [UInt64: Range<Int>] = [:]
    private(set) var reached: [Int32] = []
    private(set) var steps = 0

    /// What the search looks at most.
    struct Summary {
        let votes: Marks
        let proposed: Marks
        let executed: Marks
        /// By recipient: the number of all that was ever sent there.
        let mail: [Int32]
        /// Whether a write is under way of which it makes no difference when it completes.
        let isWriting: Bool
    }

    init(_ stepper: HostStepper) {
        self.stepper = stepper
    }

    var count: Int { hosts.count }

    subscript(number: Int32) -> Host { hosts[number] }

    mutating func number(_ host: Host) -> Int32 {
        let (number, isNew) = hosts.intern(host)
        guard isNew else { return number }
        inner.append(nil)
        summaries.append(
            Summary(
                votes: host.votes, proposed: host.proposed, executed: host.executed | host.fetched,
                mail: (0..<stepper.scope.replicas).map { stepper.ledger.mail(host.sent, to: $0) },
                isWriting: isWriting(host)))
        return number
    }

    /// The write of a follower commutes with everything else unless a crash can lose it: it changes
    /// nothing in the replica, and what is sent by it need not arrive at once.
    private func isWriting(_ host: Host) -> Bool {
        !host.disk.unsynced.isEmpty
            && (host.replica.isFollowing || stepper.scope.hasPromptDisks)
            && host.crashes == stepper.scope.crashes(of: host.index)
    }

    /// Where it leads that one of these packets arrives; those that change nothing are left out.
    mutating func deliver(mail: Int32, to host: Int32) throws(Violation) -> Range<Int> {
        if let range = ranges[pair(host, mail)] { return range }
        var next: [Int32] = []
        for packet in stepper.ledger.mail(mail) {
            let to = try deliver(packet: packet, to: host)
            if to != host, !next.contains(to) { next.append(to) }
        }
        let range = reached.count..<reached.count + next.count
        reached.append(contentsOf: next)
        ranges[pair(host, mail)] = range
        return range
    }

    mutating func deliver(packet: Int32, to host: Int32) throws(Violation) -> Int32 {
        if let next = deliveries[pair(host, packet)] { return next }
        let next = try take(.delivery(packet), host)
        deliveries[pair(host, packet)] = next
        return next
    }

    private func pair(_ one: Int32, _ other: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: one)) << 32 | UInt64(UInt32(bitPattern: other))
    }

    /// What can happen within the replica.
    mutating func innerEvents(of host: Int32) throws(Violation) -> [(event: Event, next: Int32)] {
        if let known = inner[Int(host)] { return known }
        var result: [(event: Event, next: Int32)] = []
        for event in events(of: hosts[host]) { result.append((event, try take(event, host))) }
        inner[Int(host)] = result
        return result
    }

    private func events(of host: Host) -> [Event] {
        let scope = stepper.scope
        var events: [Event] = []
        if !host.disk.unsynced.isEmpty { events.append(.sync) }
        if host.campaigns < scope.campaigns(of: host.index) { events.append(.campaign) }
        if host.crashes < scope.crashes(of: host.index) {
            events.append(.crash(keepingState: false))
            if host.disk.unsynced.isEmpty, host.executedThrough > host.disk.durable.stateThrough {
                events.append(.crash(keepingState: true))
            }
        }
        return events
    }

    private mutating func take(_ event: Event, _ host: Int32) throws(Violation) -> Int32 {
        var next = hosts[host]
        steps += 1
        do {
            try stepper.take(event, &next)
        } catch {
            var violation = error
            violation.event = stepper.describe(event, at: next.index)
            throw violation
        }
        return number(next)
    }
}
