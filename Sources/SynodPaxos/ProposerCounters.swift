/// What a replica has counted since its start: as a proposer, and as the leader who grants slots.
///
/// No decision depends on it, so replicas that differ only in what they have counted are equal.
package struct ProposerCounters: Hashable, Sendable {
    // MARK: As a proposer

    /// Whether the last commands were proposed here instead of forwarded.
    package var isProposing = false
    /// Slots that it may have under way now.
    package var slotsAllowed: UInt64 = 0
    /// Entries proposed here in granted slots.
    package var entriesProposed: UInt64 = 0
    package var batchesForwarded: UInt64 = 0
    /// Commands proposed here that waited for others' in flight.
    package var commandsDelayed: UInt64 = 0
    /// Slots that were granted and came to nothing, because this replica or the grant was late.
    package var slotsLost: UInt64 = 0
    /// Changes between proposing and forwarding.
    package var switches: UInt64 = 0

    // MARK: As a leader

    package var slotsGranted: UInt64 = 0
    /// Granted slots that were filled with a no-op because nothing came.
    package var slotsAbandoned: UInt64 = 0
    /// Replicas, this one included, that proposed something lately; zero where another leads.
    package var activeProposers: UInt64 = 0
    /// When this replica last proposed commands of its own accord.
    var proposedAsLeaderAt = Instant(nanoseconds: 0)

    package init() {}

    /// Adds what was counted during a leadership.
    mutating func add(asLeader other: ProposerCounters) {
        slotsGranted += other.slotsGranted
        slotsAbandoned += other.slotsAbandoned
    }

    package static func == (left: ProposerCounters, right: ProposerCounters) -> Bool { true }

    package func hash(into hasher: inout Hasher) {}
}
