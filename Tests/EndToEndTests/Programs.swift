import Foundation

/// The programs under test and beside it.
enum Programs {
    /// The command that starts a server: the `synod` built with these tests, or what
    /// `SYNOD_BINARY` names. A program called etcd is started as etcd is, so that the tests
    /// themselves can be tried on the original.
    static let server: [String] = {
        let path = ProcessInfo.processInfo.environment["SYNOD_BINARY"] ?? synod
        return isEtcd(path) ? [find(path)] : [find(path), "serve"]
    }()

    /// Whether the program under test is a real etcd, which lacks what only synod promises.
    static var isServerEtcd: Bool { server.count == 1 }

    /// A real etcd to compare with, or nil where none is installed.
    static let etcd: String? = search("etcd")
    static let etcdctl: String? = search("etcdctl")
    static let curl: String? = search("curl")
    static let strace: String? = search("strace")

    /// The long versions of the tests run where `SYNOD_LONG_TESTS` is set.
    static let runsLong = ProcessInfo.processInfo.environment["SYNOD_LONG_TESTS"] != nil

    private static func isEtcd(_ path: String) -> Bool {
        path.split(separator: "/").last == "etcd"
    }

    /// Beside the test bundle, which is this very executable on Linux and an argument on macOS.
    private static var synod: String {
        let running = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let bundles = [running].compactMap { $0 } + CommandLine.arguments
        for bundle in bundles where bundle.contains(".xctest") {
            var directory = URL(fileURLWithPath: bundle)
            while directory.path.contains(".xctest") { directory.deleteLastPathComponent() }
            let candidate = directory.appendingPathComponent("synod").path
            if FileManager.default.isExecutableFile(atPath: candidate) { return candidate }
        }
        return "synod"
    }

    private static func find(_ program: String) -> String { search(program) ?? program }

    private static func search(_ program: String) -> String? {
        if program.contains("/") { return program }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return path.split(separator: ":").map { "\($0)/\(program)" }
            .first(where: FileManager.default.isExecutableFile)
    }
}
