import SynodPaxos
package import SynodStorage

extension LogSchema {
    /// Whether the log has every entry from the first slot on, so that the whole state follows from
    /// it. No longer, once the log was cut or a state came from a peer.
    package static func reachesBackToTheStart(_ store: some Store) throws(StorageError) -> Bool {
        var first: UInt64?
        try scanEntries(from: .zero, in: store) { item in
            first = item.slot.rawValue
            return false
        }
        return first == 1
    }
}
