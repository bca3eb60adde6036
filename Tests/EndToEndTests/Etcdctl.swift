import Foundation

/// The real etcdctl, pointed at some endpoints.
struct Etcdctl {
    struct Result {
        let status: Int32
        /// What it wrote, to either output.
        let output: String
        /// The output's lines.
        var lines: [String] { output.split(separator: "\n").map(String.init) }
    }

    let endpoints: String

    /// Runs one command to its end, with `input` as its standard input.
    func run(_ arguments: String..., input: String = "") async throws -> Result {
        guard let program = Programs.etcdctl else { throw TestFailure("etcdctl is not installed") }
        let path = NSTemporaryDirectory() + "etcdctl-" + UUID().uuidString
        defer {
            try? FileManager.default.removeItem(atPath: path)
            try? FileManager.default.removeItem(atPath: path + ".in")
        }
        try Data(input.utf8).write(to: URL(fileURLWithPath: path + ".in"))
        let process = try ChildProcess(
            [program, "--endpoints", endpoints, "--command-timeout=10s"] + arguments,
            environment: ["ETCDCTL_API": "3"], input: path + ".in", log: path)
        defer { process.kill() }
        let status = try await process.exitStatus(within: .seconds(30))
        return Result(status: status, output: process.output())
    }
}
