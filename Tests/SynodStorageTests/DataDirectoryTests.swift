import Foundation
import SynodBytes
import SynodDisk
import SynodStorage
import Testing

/// Who may use a data directory, and for whom.
@Suite struct DataDirectoryTests {
    private let path = TemporaryDirectory().path + "/data"
    private let identity = MemberIdentity(
        clusterID: 0xc1, memberID: 0xa, incarnation: 77, name: "one")

    private func file(_ name: String) -> URL {
        URL(fileURLWithPath: path + "/member/" + name)
    }

    private func establish(_ identity: MemberIdentity? = nil) throws -> MemberIdentity {
        try DataDirectory(path: path).establish(identity ?? self.identity)
    }

    @Test func aNewDirectoryTakesAnIdentityAndKeepsIt() throws {
        #expect(try DataDirectory(path: path).identity() == nil)
        #expect(try establish() == identity)
        let restarted = MemberIdentity(clusterID: 0xc1, memberID: 0xa, incarnation: 78, name: "1")
        #expect(try establish(restarted) == identity)
        #expect(try DataDirectory(path: path).identity() == identity)
        for directory in [path, path + "/member", path + "/member/log"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: directory)
            #expect(attributes[.posixPermissions] as? Int == 0o700)
        }
    }

    @Test func anotherMembersDirectoryIsRefused() throws {
        _ = try establish()
        for (cluster, member) in [(0xc1, 0xb), (0xc2, 0xa)] as [(UInt64, UInt64)] {
            let other = MemberIdentity(
                clusterID: cluster, memberID: member, incarnation: 1, name: "two")
            let error = #expect(throws: StorageError.self) { try establish(other) }
            #expect(error?.kind == .unsuitable)
            #expect(error?.message.contains("belongs to member a (one) of cluster c1") == true)
        }
    }

    @Test func oneCopyOfTheIdentityIsEnough() throws {
        _ = try establish()
        let whole = try Data(contentsOf: file("identity"))
        for name in ["identity", "identity.copy"] {
            for damage in [Data(), whole.prefix(20), Data(whole.reversed())] {
                try damage.write(to: file(name))
                #expect(try establish() == identity)
                #expect(try Data(contentsOf: file(name)) == whole)
            }
            try FileManager.default.removeItem(at: file(name))
            #expect(try establish() == identity)
            #expect(try Data(contentsOf: file(name)) == whole)
        }
    }

    @Test func noBitOfAnIdentityCanBeFlippedUnnoticed() throws {
        _ = try establish()
        let whole = try Data(contentsOf: file("identity"))
        for bit in 0..<whole.count * 8 {
            var damaged = whole
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            try damaged.write(to: file("identity"))
            try damaged.write(to: file("identity.copy"))
            let error = #expect(throws: StorageError.self) { try establish() }
            #expect(error?.kind == .corrupt)
        }
    }

    @Test func aLostIdentityOrLogIsNotMadeAnew() throws {
        _ = try establish()
        do {
            let directory = try DataDirectory(path: path)
            try directory.openLog().put("promise", "7", durability: .synced)
        }
        let saved = try Data(contentsOf: file("identity"))
        for name in ["identity", "identity.copy"] {
            try FileManager.default.removeItem(at: file(name))
        }
        var error = #expect(throws: StorageError.self) { try establish() }
        #expect(error?.kind == .corrupt)
        #expect(error?.message.contains("its identity files are missing") == true)

        try saved.write(to: file("identity"))
        try FileManager.default.removeItem(at: file("log"))
        let directory = try DataDirectory(path: path)
        _ = try directory.establish(identity)
        error = #expect(throws: StorageError.self) { try directory.openLog() }
        #expect(error?.kind == .corrupt)
    }

    @Test func copiesThatContradictEachOtherAreRefused() throws {
        _ = try establish()
        let mine = try Data(contentsOf: file("identity"))
        try FileManager.default.removeItem(atPath: path)
        _ = try establish(
            MemberIdentity(clusterID: 0xc1, memberID: 0xb, incarnation: 1, name: "two"))
        try mine.write(to: file("identity.copy"))
        let error = #expect(throws: StorageError.self) { try establish() }
        #expect(error?.message.contains("contradict") == true)
    }

    @Test func aNewerFormatIsRefused() throws {
        _ = try establish()
        var bytes = Bytes(try Data(contentsOf: file("identity")).dropLast(4))
        bytes[8] = 2
        bytes += withUnsafeBytes(of: CRC32C.checksum(bytes).littleEndian) { Bytes($0) }
        try Data(bytes).write(to: file("identity"))
        let error = #expect(throws: StorageError.self) { try establish() }
        #expect(error?.kind == .unsuitable)
        #expect(error?.message.contains("format 2") == true)
    }

    @Test func twoUsersOfOneDirectoryAreRefused() throws {
        let first = try DataDirectory(path: path)
        let error = #expect(throws: StorageError.self) { try DataDirectory(path: path) }
        #expect(error?.kind == .locked)
        #expect(error?.message.contains(path) == true)
        #expect(error?.message.contains("pid \(getpid())") == true)
        withExtendedLifetime(first) {}
    }

    @Test func anotherProcessIsRefusedAndADeadOneIsNot() async throws {
        let path = TemporaryDirectory.root(of: getpid()) + "/locked-data"
        let directory = try DataDirectory(path: path)
        await #expect(processExitsWith: .success) {
            let path = TemporaryDirectory.root(of: getppid()) + "/locked-data"
            let error = #expect(throws: StorageError.self) { try DataDirectory(path: path) }
            #expect(error?.message.contains("pid \(getppid())") == true)
        }
        withExtendedLifetime(directory) {}

        await #expect(processExitsWith: .signal(SIGKILL)) {
            let path = TemporaryDirectory.root(of: getppid()) + "/orphaned-data"
            _ = try DataDirectory(path: path)
            kill(getpid(), SIGKILL)
        }
        _ = try DataDirectory(path: TemporaryDirectory.root(of: getpid()) + "/orphaned-data")
    }

    @Test(arguments: [0o755, 0o770, 0o701])
    func aDirectoryOpenToOthersIsRefused(_ permissions: Int) throws {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true,
            attributes: [.posixPermissions: permissions])
        let error = #expect(throws: StorageError.self) { try DataDirectory(path: path) }
        #expect(error?.kind == .unsuitable)
        #expect(error?.message.contains("chmod 700 \(path)") == true)
    }

    @Test func stateStoresAreNumbered() throws {
        let directory = try DataDirectory(path: path)
        #expect(try directory.stateNumbers() == [])
        let (first, store) = try directory.createState()
        try store.put("a", "1", durability: .synced)
        store.close()
        for name in ["state-x", "state-", "state-4294967296"] {
            try FileManager.default.createDirectory(
                at: file(name), withIntermediateDirectories: false)
        }
        let (second, received) = try directory.createState()
        #expect((first, second) == (1, 2))
        #expect(try received.pairs().isEmpty)
        received.close()
        #expect(try directory.stateNumbers() == [1, 2])
        #expect(try directory.openState(1).get("a") == "1")
        try directory.removeStates(except: [2])
        #expect(try directory.stateNumbers() == [2])
        let error = #expect(throws: StorageError.self) { try directory.openState(1) }
        #expect(error?.kind == .corrupt)
        #expect(try directory.createState().number == 3)
    }

    @Test func theVolumesSpaceIsKnown() throws {
        let space = try DataDirectory(path: path).space()
        #expect(space.free > 0)
        #expect(space.free <= space.total)
    }
}
