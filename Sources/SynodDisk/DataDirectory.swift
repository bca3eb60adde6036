package import SynodStorage

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The directory in which a member keeps everything, held by one process at a time:
///
///     <path>/member/lock                     held while the directory is in use; the holder's pid
///                   identity, identity.copy  whose data this is
///                   log/                     the log store, a journal
///                   state-N/                 state stores, RocksDB's: the current one (the log tells
///                                            which), and one that is being received as a snapshot
package final class DataDirectory: Sendable {
    package let path: String
    private let memberPath: String
    /// Locked for as long as this object lives.
    private let lock: OpenFile

    /// Opens the directory, making it if it is not there.
    ///
    /// Throws ``StorageError/Kind/unsuitable`` if other users may enter it, and
    /// ``StorageError/Kind/locked`` if another process uses it.
    package init(path: String) throws(StorageError) {
        self.path = path
        memberPath = "\(path)/member"
        for directory in [path, memberPath] {
            try FileSystem.makeDirectory(directory)
            try Self.refuseIfOpenToOthers(directory)
        }
        lock = try Self.takeLock("\(memberPath)/lock", of: path)
    }

    /// Whose data this is; nil if the directory has not been given to anyone yet.
    package func identity() throws(StorageError) -> MemberIdentity? {
        try IdentityFiles(directory: memberPath).load()
    }

    /// Makes sure that the directory belongs to this member of this cluster, and returns its
    /// identity: the one it has had, with its own incarnation and name, or else the given one,
    /// which a new directory takes. Makes the log store of a new directory.
    package func establish(_ expected: MemberIdentity) throws(StorageError) -> MemberIdentity {
        if let found = try identity() {
            try found.refuseUnless(expected, in: path)
            return found
        }
        // The identity comes last: a directory that has one has a log, or has lost it.
        try makeLog()
        try IdentityFiles(directory: memberPath).create(expected)
        return expected
    }

    /// Opens the log store, which ``establish(_:)`` has made.
    package func openLog() throws(StorageError) -> Journal {
        try Journal(path: logPath, creation: .forbidden)
    }

    /// The numbers of the state stores that are there, complete or not, ascending.
    package func stateNumbers() throws(StorageError) -> [UInt32] {
        try FileSystem.list(memberPath).compactMap { name in
            guard name.hasPrefix(Self.statePrefix) else { return nil }
            return UInt32(name.dropFirst(Self.statePrefix.count))
        }.sorted()
    }

    /// Whether the state store is there; not if it was only begun, or emptied.
    package func hasState(_ number: UInt32) throws(StorageError) -> Bool {
        try !RocksStore.isNew(statePath(number))
    }

    /// Opens a state store that is known to be complete.
    package func openState(_ number: UInt32) throws(StorageError) -> RocksStore {
        try RocksStore(path: statePath(number), creation: .forbidden)
    }

    /// Makes an empty store in the place of one that is lost; the log knows its number.
    package func replaceState(_ number: UInt32) throws(StorageError) -> RocksStore {
        try RocksStore(path: statePath(number), creation: .allowed)
    }

    /// Makes an empty state store beside those that are there. Which one is current is for the
    /// caller to record, in the log.
    package func createState() throws(StorageError) -> (number: UInt32, store: RocksStore) {
        let (number, overflow) = (try stateNumbers().last ?? 0).addingReportingOverflow(1)
        guard !overflow else {
            throw StorageError(.corrupt, "\(statePath(.max)) is not a state store of ours.")
        }
        let path = statePath(number)
        return (number, try RocksStore(path: path, creation: .allowed))
    }

    /// Removes all state stores, none of which is open, but those of these numbers.
    package func removeStates(except kept: [UInt32]) throws(StorageError) {
        for number in try stateNumbers() where !kept.contains(number) {
            try RocksStore.destroy(path: statePath(number))
        }
        try FileSystem.syncDirectory(memberPath)
    }

    /// The space on the directory's volume.
    package func space() throws(StorageError) -> VolumeSpace {
        try FileSystem.space(memberPath)
    }

    private static let statePrefix = "state-"

    private var logPath: String { "\(memberPath)/log" }

    private func statePath(_ number: UInt32) -> String {
        "\(memberPath)/\(Self.statePrefix)\(number)"
    }

    /// Makes the log store of a directory without an identity. One that holds something already
    /// shows that the identity was lost, not that the directory is new.
    private func makeLog() throws(StorageError) {
        let log = try Journal(path: logPath, creation: .allowed)
        var isEmpty = true
        try log.scan(from: [], to: nil) { _, _ in
            isEmpty = false
            return false
        }
        log.close()
        guard isEmpty else {
            throw StorageError(
                .corrupt,
                "\(path) holds data but its identity files are missing. \(Advice.replaceMember)")
        }
    }

    private static func refuseIfOpenToOthers(_ directory: String) throws(StorageError) {
        let permissions = try FileSystem.permissions(directory)
        if permissions & 0o077 == 0 { return }
        throw StorageError(
            .unsuitable,
            """
            The data directory \(directory) is open to other users (mode \
            \(String(permissions, radix: 8))). Run: chmod 700 \(directory)
            """)
    }

    private static func takeLock(_ path: String, of directory: String) throws(StorageError)
        -> OpenFile
    {
        let lock = try OpenFile(path, O_RDWR | O_CREAT)
        guard lock.tryLock() else {
            let holder = String(decoding: try lock.read(limit: 20), as: UTF8.self)
            let process = Int32(holder).map { " with pid \($0)" } ?? ""
            throw StorageError(
                .locked,
                """
                The data directory \(directory) is in use by another process\(process). Stop that \
                one, or give this one a directory of its own.
                """)
        }
        try lock.truncate()
        try lock.write(Array("\(getpid())".utf8), at: 0)
        return lock
    }
}
