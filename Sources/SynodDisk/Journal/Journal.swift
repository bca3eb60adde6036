package import SynodBytes
package import SynodStorage

/// A ``Store`` on disk for the consensus log: an append-only file of batches, cut into segments,
/// with an index of the live keys in memory.
///
/// # Why not an engine
///
/// The log is written once, synced, hardly ever read and deleted from the front. An engine writes
/// it twice, to its write-ahead log and from its memory to tables, sorts what is sorted, and
/// syncs a file that grows, which makes the file system write its own journal as well. Here each
/// batch is one write into blocks that are there already, and one sync of nothing else.
///
/// # What is where
///
/// ``SegmentFolder`` names the files. ``RecordHeader`` stands before each batch, ``JournalWriter``
/// says in which order things become durable and how space comes back, ``JournalRecovery`` what
/// is believed at an opening, ``JournalMark`` what is known beside the records, and
/// ``JournalContents`` how they are read. All numbers in files are little-endian.
///
/// # Limits
///
/// The live keys are held in memory, about 60 bytes for each. The damage of the very last group
/// of records before a power cut cannot be told from the cut itself.
///
/// After the first failed write or sync it takes no others: see ``StoreGate``.
package final class Journal: Store, Sendable {
    private let gate: StoreGate<JournalHandle>

    /// Opens the journal in the directory `path`, or makes it if that is allowed and nothing is
    /// there. The caller sees to it that nobody else opens it: ``DataDirectory``'s lock.
    ///
    /// Throws ``StorageError/Kind/corrupt`` if parts of it are missing or damaged, and
    /// ``StorageError/Kind/unsuitable`` if there is something else.
    ///
    /// - Parameter segmentSize: Bytes of a segment file, a multiple of 4096. May differ from one
    ///   opening to the next.
    package init(path: String, creation: StoreCreation, segmentSize: Int = JournalLimits.segment)
        throws(StorageError)
    {
        precondition(
            segmentSize > 0 && segmentSize % JournalLimits.page == 0,
            "A segment is a number of pages.")
        let names = FileSystem.exists(path) ? try FileSystem.list(path) : []
        try Self.refuseEarlierRelease(names, in: path)
        if !names.contains(JournalMark.name) {
            try Self.make(in: path, where: names, creation)
        }
        gate = StoreGate(try JournalHandle(directory: path, segmentSize: segmentSize))
    }

    package func write(_ batch: WriteBatch, durability: Durability) throws(StorageError) {
        try gate.change { handle throws(StorageError) in
            try handle.write(batch, durability: durability)
        }
    }

    package func flush() throws(StorageError) {
        try gate.change { handle throws(StorageError) in try handle.flush() }
    }

    package func get(_ key: Bytes) throws(StorageError) -> Bytes? {
        try gate.openHandle().contents.get(key)
    }

    package func scan(
        from lower: Bytes, to upper: Bytes?,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(StorageError) {
        try gate.openHandle().contents.snapshot.scan(from: lower, to: upper, body)
    }

    package func view() -> JournalView {
        JournalView(gate.handle?.contents.snapshot)
    }

    /// Bytes of the live keys and values.
    package var approximateSize: UInt64 {
        UInt64(gate.handle?.contents.liveBytes ?? 0)
    }

    /// Closes the journal: later calls throw. Views of it go on.
    package func close() {
        gate.close()
    }

    /// Makes a journal where there is no mark of one.
    private static func make(
        in path: String, where names: [String], _ creation: StoreCreation
    ) throws(StorageError) {
        // The mark comes first: a journal that has files has a mark, or has lost it.
        let isEmpty = names.allSatisfy { $0.hasSuffix(SegmentFile.unfinishedSuffix) }
        guard isEmpty else {
            throw StorageError(
                .corrupt, "\(path)/\(JournalMark.name) is missing. \(Advice.replaceMember)")
        }
        guard creation == .allowed else {
            throw StorageError(.corrupt, "There is no log in \(path). \(Advice.replaceMember)")
        }
        try FileSystem.makeDirectory(path)
        try JournalMark.create(in: path, salt: .random(in: 0 ... .max))
    }

    /// Until version 0.1 the log was a RocksDB.
    private static func refuseEarlierRelease(_ names: [String], in path: String)
        throws(StorageError)
    {
        guard names.contains("CURRENT") || names.contains(where: { $0.hasPrefix("MANIFEST-") })
        else { return }
        throw StorageError(
            .unsuitable,
            """
            The log in \(path) has the format of an earlier release, which this one does not read. \
            Start that release, or remove this member from the cluster and add it again with an \
            empty data directory.
            """)
    }
}

/// A picture of a ``Journal``, which keeps the files that it needs.
package final class JournalView: StoreView {
    /// Nil if the journal was closed.
    private let contents: JournalContents?

    fileprivate init(_ contents: JournalContents?) {
        self.contents = contents
    }

    package func scan(
        from lower: Bytes, to upper: Bytes?,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(StorageError) {
        guard let contents else { throw StorageError.closed }
        try contents.scan(from: lower, to: upper, body)
    }
}
