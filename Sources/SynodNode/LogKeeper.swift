import SynodPaxos

/// Decides when the state is flushed and how much of the log may then go.
///
/// The log is truncated only below what the state store holds durably, and one flush behind: a
/// replica that was away for less than that catches up from the log.
struct LogKeeper: Sendable {
    private let snapshotCount: UInt64
    /// The first slot whose entry is still in the log.
    private(set) var firstRetained: Slot
    /// The state is durable through here.
    private var flushedThrough: Slot
    private var flushing: Slot?
    private var bytesSinceFlush = 0

    init(snapshotCount: UInt64, firstRetained: Slot, flushedThrough: Slot) {
        self.snapshotCount = snapshotCount
        self.firstRetained = firstRetained
        self.flushedThrough = flushedThrough
    }

    mutating func logged(bytes: Int) {
        bytesSinceFlush += bytes
    }

    /// The slot through which to flush now, if it is time.
    mutating func flushDue(appliedThrough: Slot) -> Slot? {
        guard flushing == nil, appliedThrough > flushedThrough else { return nil }
        let slots = appliedThrough.rawValue - flushedThrough.rawValue
        guard slots >= snapshotCount || bytesSinceFlush >= NodeLimits.flushBytes else { return nil }
        flushing = appliedThrough
        bytesSinceFlush = 0
        return appliedThrough
    }

    /// A flush ended. Returns the slot through which the log may go.
    mutating func flushed(through slot: Slot) -> Slot? {
        if flushing == slot { flushing = nil }
        guard slot > flushedThrough else { return nil }
        defer { flushedThrough = slot }
        guard flushedThrough >= firstRetained else { return nil }
        firstRetained = flushedThrough.next
        return flushedThrough
    }

    /// A state from elsewhere took the place of the own one; it is durable.
    mutating func installed(through slot: Slot) {
        firstRetained = slot.next
        flushedThrough = slot
        flushing = nil
        bytesSinceFlush = 0
    }
}
