import Foundation
import SynodBytes

/// Where a killed process leaves what its parent examines.
struct CrashSite {
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
func killMyself(withinMilliseconds limit: Double) {
    let delay = Double.random(in: 0...limit) / 1000
    Thread.detachNewThread {
        Thread.sleep(forTimeInterval: delay)
        kill(getpid(), SIGKILL)
    }
}
