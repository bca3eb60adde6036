import Foundation
import SynodBytes
import SynodDisk
import SynodStorage
import Testing

/// What a ``RocksStore`` makes of missing files, and of being used twice.
@Suite struct RocksDamageTests {
    /// A store that is missing is made anew only if that is allowed.
    @Test func aMissingStoreIsNotReplacedByAnEmptyOne() throws {
        let path = TemporaryDirectory().path + "/store"
        let error = #expect(throws: StorageError.self) {
            try RocksStore(path: path, creation: .forbidden)
        }
        #expect(error?.kind == .corrupt)
        #expect(!FileManager.default.fileExists(atPath: path))
        _ = try RocksStore(path: path, creation: .allowed)
        #expect(try RocksStore(path: path, creation: .forbidden).pairs().isEmpty)
        try RocksStore.destroy(path: path)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func oneStoreIsOpenedOnce() throws {
        let path = TemporaryDirectory().path
        let store = try RocksStore(path: path, creation: .allowed)
        let error = #expect(throws: StorageError.self) {
            try RocksStore(path: path, creation: .allowed)
        }
        #expect(error?.kind == .locked)
        let view = store.view()
        store.close()
        #expect(throws: StorageError.self) { try store.get("a") }
        #expect(throws: StorageError.self) { try store.put("a", "1") }
        #expect(throws: StorageError.self) { try store.view().pairs() }
        // A view keeps the database open.
        #expect(try view.pairs().isEmpty)
    }
}
