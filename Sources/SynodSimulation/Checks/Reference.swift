import SynodBytes
import SynodKeyspace
import SynodPaxos
import SynodStorage

/// What replicas must come to: a keyspace that executes what was chosen in the order of the slots,
/// with no disk that forgets, no restart, no state of a peer's, and nothing ahead of its turn.
///
/// Revisions are counted here by themselves, by the rule alone: commands take them in the order
/// of the slots, and an entry whose stamp was made for more than came to be leaves some out.
struct Reference {
    private var keyspace: Keyspace<MemoryStore>
    private var through = Slot.zero
    private var revision: Int64 = 1
    /// How many revisions the uncertain commands of a slot have taken.
    private var taken: [Slot: Int64] = [:]
    /// By slot, for replicas that are still there.
    private var hashes: [Slot: UInt32] = [:]
    /// What has changed anything.
    private(set) var effective: Set<Bytes> = []
    /// The first slot that leaves out revisions for no reason: since the last slot with a stamp, none
    /// came to nothing.
    private(set) var unjustified: Slot?
    private var hasSeenNoop = false
    /// Revisions that no write will ever have made.
    private(set) var skipped: Set<Int64> = []

    init() {
        keyspace = Self.emptyKeyspace
    }

    private static var emptyKeyspace: Keyspace<MemoryStore> {
        do throws(StorageError) { return try Keyspace(store: MemoryStore()) } catch {
            preconditionFailure("Memory holds an empty keyspace: \(error)")
        }
    }

    /// The checksum of everything that a replica has executed that is through `slot`; nil if the
    /// commands through there are not all chosen.
    mutating func hash(through slot: Slot, chosen: (Slot) -> Entry?) -> UInt32? {
        if let known = hashes[slot] { return known }
        if slot < through { startOver() }
        do throws(StorageError) {
            while through < slot {
                guard let entry = chosen(through.next) else { return nil }
                try execute(entry, in: through.next)
            }
            let hash = try keyspace.hash()
            hashes[slot] = hash
            return hash
        } catch {
            preconditionFailure("Memory does not fail: \(error)")
        }
    }

    private mutating func startOver() {
        keyspace = Self.emptyKeyspace
        through = .zero
        revision = 1
        taken = [:]
        hasSeenNoop = false
    }

    private mutating func execute(_ entry: Entry, in slot: Slot) throws(StorageError) {
        if let stamp = entry.stamp {
            let uncertain = stamp.uncertainSlots(before: slot).reduce(0) { $0 + (taken[$1] ?? 0) }
            let start = stamp.revision + uncertain
            precondition(start >= revision, "A stamp does not take back a revision.")
            if start > revision {
                skipped.formUnion(revision + 1...start)
                if !hasSeenNoop, unjustified == nil { unjustified = slot }
            }
            revision = start
            hasSeenNoop = false
        }
        if entry.isNoop { hasSeenNoop = true }
        try entry.forEachCommand { (command) throws(StorageError) in
            let hasChanged = try keyspace.apply(command.payload, after: revision, header: nil)
                .hasChanged
            if hasChanged { effective.insert(Bytes(command.payload)) }
            if hasChanged, !command.isCertain { taken[slot, default: 0] += 1 }
            // A sequencer that stamps counts a certain command whatever comes of it.
            if hasChanged || (command.isCertain && entry.stamp != nil) { revision += 1 }
        }
        through = slot
        try keyspace.commit(through: slot.rawValue, revision: revision, outcomes: [])
    }
}
