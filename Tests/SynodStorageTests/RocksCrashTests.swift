import Foundation
import SynodBytes
import SynodRocksDB
import SynodStorage
import Testing

/// What of a ``RocksStore`` is there after the process that wrote it was killed.
@Suite struct RocksCrashTests {
    /// A process is killed at a random moment of writing synced records one by one, again and
    /// again over one store.
    @Test func syncedWritesSurviveAKill() async throws {
        let site = CrashSite("synced", of: getpid())
        try site.prepare()
        for round in 0..<4 {
            await #expect(processExitsWith: .signal(SIGKILL)) {
                let site = CrashSite("synced", of: getppid())
                let store = try RocksStore(path: site.store, kind: .log, creation: .allowed)
                var next = try store.pairs().count
                let last = next + Int.random(in: 50...200)
                while true {
                    if next == last { killMyself(withinMilliseconds: 5) }
                    let durability: Durability = next % 3 == 0 ? .buffered : .synced
                    try store.put([Pair(bigEndian(next), [7])], durability: durability)
                    next += 1
                    if durability == .synced { try site.note(next) }
                }
            }
            let store = try RocksStore(path: site.store, kind: .log, creation: .forbidden)
            let keys = try store.pairs().map(\.key)
            #expect(keys == keys.indices.map(bigEndian))
            #expect(try keys.count >= site.noted())
            #expect(try site.noted() > round)
            store.close()
        }
    }

    /// The state store loses its latest batches, never one before them and no part of one, however
    /// many write buffers were being flushed.
    @Test func bufferedBatchesSurviveInOrder() async throws {
        let site = CrashSite("buffered", of: getpid())
        try site.prepare()
        for _ in 0..<2 {
            await #expect(processExitsWith: .signal(SIGKILL)) {
                let site = CrashSite("buffered", of: getppid())
                let store = try RocksStore(path: site.store, kind: .state, creation: .allowed)
                var next = try store.pairs().count / 2
                // More than two write buffers hold: the first is on disk by then.
                let last = next + Int.random(in: 1800...3500)
                let value = Bytes(repeating: 1, count: 10_000)
                while true {
                    if next == last { killMyself(withinMilliseconds: 20) }
                    let number = bigEndian(next)
                    try store.put([Pair([1] + number, value), Pair([2] + number, value)])
                    next += 1
                    if next % 1300 == 0 {
                        try store.flush()
                        try site.note(next)
                    }
                }
            }
            let store = try RocksStore(path: site.store, kind: .state, creation: .forbidden)
            let keys = try store.pairs().map(\.key)
            let count = keys.count / 2
            #expect(
                keys == (0..<count).map { [1] + bigEndian($0) }
                    + (0..<count).map { [2] + bigEndian($0) })
            #expect(try count >= site.noted())
            #expect(count > 0)
            store.close()
        }
    }
}

/// Where a killed process leaves what its parent examines.
private struct CrashSite {
    let store: String
    private let notes: String

    /// - Parameter parent: The process that examines it.
    init(_ name: String, of parent: pid_t) {
        let directory = TemporaryDirectory.root(of: parent) + "/crash-" + name
        store = directory + "/store"
        notes = directory + "/noted"
    }

    func prepare() throws {
        _ = TemporaryDirectory()
        try FileManager.default.createDirectory(
            atPath: store, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700])
        try Data().write(to: URL(fileURLWithPath: notes))
    }

    /// Notes, for after the kill, that so many records are durable.
    func note(_ count: Int) throws {
        try Data(bigEndian(count)).write(to: URL(fileURLWithPath: notes), options: .atomic)
    }

    func noted() throws -> Int {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: notes))
        if bytes.isEmpty { return 0 }
        var reader = ByteReader(Bytes(bytes))
        return Int(try reader.readBigEndian(UInt64.self))
    }
}

/// Kills this process without warning at a random moment soon.
private func killMyself(withinMilliseconds limit: Double) {
    let delay = Double.random(in: 0...limit) / 1000
    Thread.detachNewThread {
        Thread.sleep(forTimeInterval: delay)
        kill(getpid(), SIGKILL)
    }
}
