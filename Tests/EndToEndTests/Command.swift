import Foundation

/// A program that runs to its end by itself.
enum Command {
    struct Result {
        let status: Int32
        /// What it wrote, to either output.
        let output: String

        var lines: [String] { output.split(separator: "\n").map(String.init) }
    }

    /// Runs `command` with `input` as its standard input.
    static func run(
        _ command: [String], environment: [String: String] = [:], input: String = "",
        within limit: Duration = .seconds(30)
    ) async throws -> Result {
        let path = NSTemporaryDirectory() + "synod-command-" + UUID().uuidString
        let inputPath = path + ".in"
        defer {
            try? FileManager.default.removeItem(atPath: path)
            try? FileManager.default.removeItem(atPath: inputPath)
        }
        try Data(input.utf8).write(to: URL(fileURLWithPath: inputPath))
        let process = try ChildProcess(
            command, environment: environment, input: inputPath, log: path)
        defer { process.kill() }
        let status = try await process.exitStatus(within: limit)
        return Result(status: status, output: process.output())
    }
}
