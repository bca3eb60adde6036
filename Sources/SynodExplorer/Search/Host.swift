import SynodPaxos

/// One replica of the explored cluster with the process and the disk around it, and what it has
/// done so far as far as that matters to anybody.
struct Host: Hashable {
    let index: Int
    var replica: Replica
    var disk = Disk()
    var boot: UInt64 = 1
    /// How often time has passed at this replica since it started. Everything that happens
    /// between two of these points happens at the same instant.
    var clock: UInt64 = 0
    /// What is durable, as the process knows.
    var syncedThrough = WriteTicket.zero
    /// What must not leave yet.
    var held: [Held] = []
    var execution = Execution()

    var campaigns = 0
    var crashes = 0
    var abandonments = 0

    // What was done, by all boots together.
    /// What was ever accepted on the disk.
    var votes: Marks = 0
    var proposed: Marks = 0
    /// The highest ballot of which a promise was sent; kept in terse scopes.
    var answered = Ballot.zero
    /// Ballots that were prepared; kept while a crash may follow.
    var prepared: [Ballot] = []
    /// Ballots that earlier boots prepared.
    var spentBallots: [Ballot] = []

    /// Of the event that led here, to be taken out of the state.
    var deed = Deed()

    /// What others can see or must judge of one event.
    struct Deed: Hashable {
        /// Packets, in ascending order: whatever was sent may arrive at any later time.
        var sent: [Int32] = []
        /// What was executed, or written because another said that it is chosen.
        var learned: Marks = 0
    }

    struct Held: Hashable {
        let message: Message
        let to: Destination
        let ticket: WriteTicket
    }

    /// Longer than any time limit of the core.
    private static let span: UInt64 = 1 << 50
    var executedThrough: Slot { execution.through }

    static let timing = Timing(heartbeat: .milliseconds(100), election: .milliseconds(1000))

    var now: Instant { Instant(nanoseconds: (clock + 1) * Self.span) }

    init(_ index: Int, _ scope: Scope) {
        self.index = index
        replica = Self.start(index, scope, Replica.Restored(), boot: 1)
        level()
    }

    static func start(
        _ index: Int, _ scope: Scope, _ restored: Replica.Restored, boot: UInt64
    ) -> Replica {
        let membership = scope.membership
        return Replica(
            id: membership.replicas[index], membership: membership, timing: timing,
            restored: restored, boot: boot, seed: 0, window: scope.window,
            proposers: scope.proposers, now: Instant(nanoseconds: span))
    }

    /// The same for equal states in all explorations of one process.
    func digest(_ ledger: Ledger) -> Int {
        var hasher = Hasher()
        hasher.combine(replica)
        hasher.combine(disk)
        hasher.combine(held)
        hasher.combine(syncedThrough)
        hasher.combine([campaigns, crashes, abandonments])
        for marks in [votes, proposed] {
            var set: Set<Vote> = []
            forEachMark(marks) { set.insert(ledger.vote($0)) }
            hasher.combine(set)
        }
        return hasher.finalize()
    }

    /// Makes replicas equal that differ only in when they would campaign by themselves: that is
    /// for the explorer to say.
    mutating func level() {
        replica.campaignDue(at: Instant(nanoseconds: (clock + 1) * Self.span + 1), seed: 0)
    }
}
