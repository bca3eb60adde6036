import Foundation
import SynodBytes
import SynodDisk
import SynodStorage
import Testing

/// A volume without space left: a small one of our own, in memory.
@Suite(.enabled(if: geteuid() == 0, "mounting a small volume needs root"))
struct DiskFullTests {
    #if os(Linux)
        @Test(arguments: Kind.allCases)
        func aFullDiskIsReportedAndLosesNothing(_ kind: Kind) throws {
            let volume = TemporaryDirectory().path
            try run("mount", "-t", "tmpfs", "-o", "size=40m,mode=700", "none", volume)
            defer { try? run("umount", volume) }
            let path = volume + "/store"
            let store = try open(kind, path, .allowed)
            var acknowledged = 0
            var failure: StorageError?
            while failure == nil, acknowledged < 1000 {
                do {
                    try store.put(
                        [Pair(bigEndian(acknowledged), incompressible)], durability: .synced)
                    acknowledged += 1
                } catch let error as StorageError {
                    failure = error
                }
            }
            let full = try #require(failure)
            #expect(full.kind == .full)
            #expect(acknowledged > 10)
            #expect(throws: full) { try store.put("more", "1") }
            #expect(throws: full) { try store.flush() }
            #expect(try store.get(bigEndian(acknowledged - 1))?.count == 100_000)
            close(store)

            try run("mount", "-o", "remount,size=200m", volume)
            let reopened = try open(kind, path, .forbidden)
            let keys = try reopened.pairs().map(\.key)
            #expect(keys.count >= acknowledged)
            #expect(Array(keys.prefix(acknowledged)) == (0..<acknowledged).map(bigEndian))
            try reopened.put("more", "1", durability: .synced)
            close(reopened)
        }

        /// A journal needs no room to be opened; a RocksDB does, and says so if there is none.
        @Test func aFullDiskIsReportedByAnOpening() throws {
            let volume = TemporaryDirectory().path
            try run("mount", "-t", "tmpfs", "-o", "size=40m,mode=700", "none", volume)
            defer { try? run("umount", volume) }
            for kind in Kind.allCases {
                let store = try open(kind, volume + "/\(kind)", .allowed)
                try store.put("a", "1", durability: .synced)
                close(store)
            }
            try fill(volume)
            for _ in 0..<3 {
                let error = #expect(throws: StorageError.self) {
                    try open(.rocks, volume + "/rocks", .forbidden)
                }
                #expect(error?.kind == .full)
                #expect(throws: StorageError.self) { try open(.rocks, volume + "/new", .allowed) }
                let journal = try open(.journal, volume + "/journal", .forbidden)
                #expect(try journal.get("a") == "1")
                close(journal)
            }
            try run("mount", "-o", "remount,size=80m", volume)
            for (path, creation) in [("rocks", StoreCreation.forbidden), ("new", .allowed)] {
                let store = try open(.rocks, volume + "/" + path, creation)
                #expect(try store.get("a") == (path == "rocks" ? "1" : nil))
                close(store)
            }
        }

        /// Leaves no room on a volume.
        private func fill(_ volume: String) throws {
            let path = volume + "/filler"
            try Data().write(to: URL(fileURLWithPath: path))
            let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            let page = Data(count: 4096)
            while (try? file.write(contentsOf: page)) != nil {}
            try file.close()
        }

        enum Kind: CaseIterable {
            case journal
            case rocks
        }

        private func open(_ kind: Kind, _ path: String, _ creation: StoreCreation) throws
            -> any Store
        {
            switch kind {
            case .journal: try Journal(path: path, creation: creation)
            case .rocks: try RocksStore(path: path, creation: creation)
            }
        }

        private func close(_ store: any Store) {
            (store as? Journal)?.close()
            (store as? RocksStore)?.close()
        }

        private func run(_ command: String...) throws {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = command
            try process.run()
            process.waitUntilExit()
            try #require(process.terminationStatus == 0, "\(command) failed")
        }
    #endif
}
