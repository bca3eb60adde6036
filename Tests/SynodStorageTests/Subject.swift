import Foundation
import SynodBytes
import SynodDisk
import SynodStorage

/// The implementations that one suite holds to the contract of ``Store``.
enum SubjectKind: CaseIterable {
    case memory
    case journal
    /// With segments so small that most tests fill many of them.
    case smallJournal
    case rocks
}

/// A store under test, and how it is closed and opened again.
final class Subject {
    let kind: SubjectKind
    private(set) var store: any Store
    private let directory = TemporaryDirectory()

    init(_ kind: SubjectKind) throws {
        self.kind = kind
        store = MemoryStore()
        store = try open(.allowed) ?? store
    }

    /// Closes the store in an orderly way, and opens it again.
    func reopen() throws {
        switch store {
        case let memory as MemoryStore:
            store = memory.crashImage(keepingUnsynced: memory.unsyncedBatchCount)
        case let journal as Journal: journal.close()
        case let rocks as RocksStore: rocks.close()
        default: break
        }
        store = try open(.forbidden) ?? store
    }

    private func open(_ creation: StoreCreation) throws -> (any Store)? {
        switch kind {
        case .memory: nil
        case .journal: try Journal(path: directory.path, creation: creation)
        case .smallJournal:
            try Journal(path: directory.path, creation: creation, segmentSize: smallSegment)
        case .rocks: try RocksStore(path: directory.path, creation: creation)
        }
    }
}

/// Bytes: room for a few records.
let smallSegment = 4096

/// A new, empty directory that goes away when the test process ends.
struct TemporaryDirectory {
    let path: String

    private static let roots: (disk: String, memory: String) = {
        let disk = root(of: getpid())
        let isThere = FileManager.default.isWritableFile(atPath: "/dev/shm")
        let memory = isThere ? disk.replacing(NSTemporaryDirectory(), with: "/dev/shm/") : disk
        for root in Set([disk, memory]) {
            try! FileManager.default.createDirectory(
                atPath: root, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        }
        atexit {
            try? FileManager.default.removeItem(atPath: TemporaryDirectory.roots.disk)
            try? FileManager.default.removeItem(atPath: TemporaryDirectory.roots.memory)
        }
        return (disk, memory)
    }()

    /// Where a process of this suite keeps its directories.
    static func root(of process: pid_t) -> String {
        NSTemporaryDirectory() + "synod-storage-tests-\(process)"
    }

    /// - Parameter inMemory: For small files, where the system has that: thousands of syncs of a
    ///   disk take minutes.
    init(inMemory: Bool = false) {
        let root = inMemory ? Self.roots.memory : Self.roots.disk
        path = root + "/" + UUID().uuidString
        try! FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700]
        )
    }
}

struct Pair: Equatable {
    let key: Bytes
    let value: Bytes

    init(_ key: Bytes, _ value: Bytes) {
        self.key = key
        self.value = value
    }

    init(_ key: String, _ value: String) {
        self.init(Bytes(key.utf8), Bytes(value.utf8))
    }
}

typealias Scan = (
    Bytes, Bytes?, (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Bool
) throws -> Void

/// The first `limit` pairs that a scan visits.
func collect(
    _ scan: Scan, from lower: Bytes = [], to upper: Bytes? = nil, limit: Int = .max
) throws -> [Pair] {
    var pairs: [Pair] = []
    try scan(lower, upper) { key, value in
        pairs.append(Pair(Bytes(key), Bytes(value)))
        return pairs.count < limit
    }
    return pairs
}

extension Store {
    func pairs(from lower: Bytes = [], to upper: Bytes? = nil, limit: Int = .max) throws -> [Pair] {
        try collect(scan, from: lower, to: upper, limit: limit)
    }

    func put(_ pairs: [Pair], durability: Durability = .buffered) throws {
        var batch = WriteBatch()
        for pair in pairs { batch.put(pair.key, pair.value) }
        try write(batch, durability: durability)
    }

    func put(_ key: String, _ value: String, durability: Durability = .buffered) throws {
        try put([Pair(key, value)], durability: durability)
    }

    func get(_ key: String) throws -> String? {
        try get(Bytes(key.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }
}

extension StoreView {
    func pairs() throws -> [Pair] {
        try collect(scan)
    }
}

/// 100 kB that no compression makes smaller.
let incompressible: Bytes = {
    var random = PRNG(seed: 1)
    var writer = ByteWriter(capacity: 100_000)
    while writer.count < 100_000 { writer.write(random.next()) }
    return writer.bytes
}()
