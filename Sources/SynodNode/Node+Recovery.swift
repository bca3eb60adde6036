import SynodKeyspace
import SynodPaxos
import SynodStorage

/// What a start makes of the log and the state.
extension Node {
    /// Executes what the log has beyond the state, and finds what is accepted beyond that.
    ///
    /// The log is cut only below what the state holds. Where it does not lead on from the state to
    /// what is recorded as chosen, the state is lost, or is an older one. The log has all that the
    /// acceptor is asked for, so the replica votes while it fetches a state from its peers, unless
    /// it is alone.
    static func recover(
        _ keyspace: inout Keyspace<State>, _ order: inout RevisionOrder, from log: Log,
        isAlone: Bool
    ) throws(StorageError) -> (
        restored: Replica.Restored, firstRetained: Slot, flushedThrough: Slot,
        unsure: ClosedRange<Slot>?
    ) {
        var restored = Replica.Restored()
        restored.promised = try LogSchema.readPromised(in: log) ?? .zero
        let recorded = Slot(try LogSchema.readNumber(LogSchema.chosenKey, in: log) ?? 0)
        let flushedThrough = Slot(keyspace.appliedThrough)
        var applied = flushedThrough
        let firstRetained = try LogSchema.firstSlot(in: log)
        var replayFailure: StorageError?
        // What was cut off was recorded as chosen in the same batch.
        restored.lacksState = applied < recorded && firstRetained ?? .zero > applied.next
        // What the state holds already is not read again.
        try LogSchema.scanEntries(from: applied.next, in: log) { item in
            guard item.slot <= recorded else {
                restored.accepted.append(item)
                return true
            }
            // A crash may have taken an entry that the lost state held already.
            if item.slot != applied.next { restored.lacksState = true }
            guard !restored.lacksState else { return true }
            applied = item.slot
            do throws(StorageError) {
                let learned = Learned(slot: item.slot, entry: item.accepted.entry)
                try order.execute(learned) { (command, revision) throws(StorageError) in
                    try keyspace.apply(command.payload, after: revision, header: nil).hasChanged
                }
                try keyspace.commit(order)
            } catch {
                replayFailure = error
                return false
            }
            return true
        }
        if let replayFailure { throw replayFailure }
        if applied < recorded {
            restored.lacksState = true
            guard !isAlone else {
                throw StorageError(
                    .corrupt,
                    "the state is lost, and the log has no entry for slot \(applied.next.rawValue), "
                        + "which was chosen: restore this member from a backup")
            }
            applied = recorded
        }
        restored.chosenThrough = applied
        // What the state has executed beyond that was perhaps learned by a write that never came to the
        // log, where something else may still be in its place.
        let unsure = flushedThrough > recorded ? recorded.next...flushedThrough : nil
        return (restored, firstRetained ?? applied.next, flushedThrough, unsure)
    }
}
