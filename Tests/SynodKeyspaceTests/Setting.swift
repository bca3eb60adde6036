import SynodBytes
import SynodKeyspace
import SynodStorage
import Testing

let header = ResponseHeader(clusterID: 11, memberID: 22, raftTerm: 3)

/// A keyspace on a store in memory that commands are given to in order, with the log position and
/// the revision that they have reached.
struct Setting {
    var store: MemoryStore
    var keyspace: Keyspace<MemoryStore>
    var position: UInt64
    var revision: Int64

    init(store: MemoryStore = MemoryStore(), cacheBudget: Int = Limits.cachedBytes) throws {
        self.store = store
        keyspace = try Keyspace(store: store, cacheBudget: cacheBudget)
        position = keyspace.appliedThrough
        revision = keyspace.revision
    }

    /// Applies one command.
    @discardableResult
    mutating func apply(_ command: Bytes, header: ResponseHeader? = header) throws
        -> Result<Bytes, KeyspaceError>?
    {
        let applied = try keyspace.apply(command[...], after: revision, header: header)
        if applied.hasChanged { revision += 1 }
        position += 1
        return applied.result
    }

    mutating func commit() throws {
        try keyspace.commit(through: position, revision: revision, outcomes: [])
    }

    /// Applies one command and commits it.
    @discardableResult
    mutating func run(_ command: Command) throws -> Result<Bytes, KeyspaceError> {
        let answer = try apply(command.bytes)
        try commit()
        return try #require(answer)
    }

    mutating func put(_ key: String, _ value: String) throws {
        _ = try run(.put(PutRequest(key, value))).get()
    }

    mutating func delete(_ key: String, _ end: String = "") throws {
        _ = try run(.deleteRange(DeleteRangeRequest(key, end))).get()
    }

    mutating func compact(_ revision: Int64) throws {
        _ = try run(.compact(revision)).get()
    }

    mutating func finishCompaction() throws {
        while try !keyspace.compactStep(budget: 3) {}
    }

    mutating func range(
        _ request: RangeRequest, ahead: Int64? = nil
    ) throws -> Result<Bytes, KeyspaceError> {
        try keyspace.range(request.wire.bytes[...], ahead: ahead, header: header)
    }

    func hash(_ revision: Int64 = 0) throws -> UInt32 {
        try keyspace.hashKV(revision: revision).get().hash
    }

    /// The records in the store; not the state, which tells the position.
    func records() throws -> [Bytes] {
        var records: [Bytes] = []
        try store.scan(from: [UInt8(ascii: "K")], to: [UInt8(ascii: "L")]) { key, value in
            records.append(Bytes(key) + Bytes(value))
            return true
        }
        return records
    }

    /// The same state, loaded anew from the store.
    mutating func restart() throws {
        self = try Setting(store: store, cacheBudget: keyspace.cache.budget)
    }
}
