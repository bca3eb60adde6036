import Foundation
import SynodBytes
import SynodDisk
import SynodStorage
import Testing

/// What of a ``RocksStore`` is there after the process that wrote it was killed.
@Suite struct RocksCrashTests {
    /// The state store loses its latest batches, never one before them and no part of one, however
    /// many write buffers were being flushed.
    @Test func bufferedBatchesSurviveInOrder() async throws {
        let site = CrashSite("buffered", of: getpid())
        try site.prepare()
        for _ in 0..<2 {
            await #expect(processExitsWith: .signal(SIGKILL)) {
                let site = CrashSite("buffered", of: getppid())
                let store = try RocksStore(path: site.store, creation: .allowed)
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
            let store = try RocksStore(path: site.store, creation: .forbidden)
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
