import SynodPaxos
package import SynodStorage

extension LogSchema {
    /// Whether the log has every entry from the first slot on, so that the whole state follows from
    /// it. No longer, once the log was cut or a state came from a peer.
    package static func reachesBackToTheStart(_ store: some Store) throws(StorageError) -> Bool {
        try firstSlot(in: store) == Slot.zero.next
    }
}
