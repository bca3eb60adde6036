import Foundation
import Synchronization

/// A process that a test started and that ends with the test: ``kill()`` it in a `defer`.
final class ChildProcess: Sendable {
    let id: pid_t
    /// What it wrote to its standard output and error output.
    let log: String
    private let process: Process

    /// Starts `command` (a path and its arguments), appending what it writes to the file `log` and
    /// giving it the file `input` to read, or nothing.
    init(
        _ command: [String], environment: [String: String] = [:], input: String? = nil,
        log: String
    ) throws {
        process = Process()
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        process.environment = Self.inheritedEnvironment.merging(environment) { _, new in new }
        process.standardInput = input.flatMap(FileHandle.init(forReadingAtPath:)) ?? .nullDevice
        if !FileManager.default.fileExists(atPath: log) {
            try Data().write(to: URL(fileURLWithPath: log))
        }
        let output = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
        defer { try? output.close() }
        try output.seekToEnd()
        process.standardOutput = output
        process.standardError = output
        self.log = log
        try process.run()
        id = process.processIdentifier
        Guardian.shared.watch(id)
    }

    /// The exit code, or the negated number of the signal that ended it; nil while it runs.
    var exitStatus: Int32? {
        guard !process.isRunning else { return nil }
        Guardian.shared.forget(id)
        return process.terminationReason == .exit
            ? process.terminationStatus : -process.terminationStatus
    }

    /// Waits for the process to end by itself.
    func exitStatus(within limit: Duration) async throws -> Int32 {
        try await eventually("process \(id) ends", within: limit) { self.exitStatus }
    }

    /// Sends a signal unless the process has ended.
    func signal(_ number: Int32) {
        if process.isRunning { Foundation.kill(id, number) }
    }

    /// Ends it with SIGKILL, also when it is stopped, and waits for that.
    func kill() {
        signal(SIGKILL)
        while process.isRunning { usleep(1000) }
        Guardian.shared.forget(id)
    }

    /// The processes that it has started with this argument; Linux only, as is /proc.
    func children(running argument: String) -> [pid_t] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { child in
            guard let status = FileManager.default.contents(atPath: "/proc/\(child)/status"),
                let command = FileManager.default.contents(atPath: "/proc/\(child)/cmdline")
            else { return false }
            return String(decoding: status, as: UTF8.self).contains("PPid:\t\(id)\n")
                && String(decoding: command, as: UTF8.self).contains(argument)
        }
    }

    /// The whole log as text.
    func output() -> String {
        String(decoding: FileManager.default.contents(atPath: log) ?? Data(), as: UTF8.self)
    }

    /// What the tests were started with, without variables that would configure the servers.
    private static let inheritedEnvironment = ProcessInfo.processInfo.environment.filter {
        !$0.key.hasPrefix("ETCD")
    }
}

/// A shell that outlives the test process by a moment and ends what it left running, so that a
/// crashed or killed test run leaves no servers behind.
private final class Guardian: Sendable {
    static let shared = Guardian()

    private let input: Mutex<FileHandle>

    private init() {
        let script = """
            trap '' INT TERM HUP
            running=" "
            while read -r verb pid; do
                case "$verb$running" in
                    watch*) running="$running$pid " ;;
                    forget*" $pid "*) running="${running%% $pid *} ${running#* $pid }" ;;
                esac
            done
            for pid in $running; do kill -9 "$pid" 2>/dev/null; done
            """
        let pipe = Pipe()
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/sh")
        shell.arguments = ["-c", script]
        shell.standardInput = pipe
        shell.standardOutput = FileHandle.nullDevice
        shell.standardError = FileHandle.nullDevice
        do { try shell.run() } catch { preconditionFailure("No shell could be started: \(error)") }
        input = Mutex(pipe.fileHandleForWriting)
    }

    func watch(_ id: pid_t) { tell("watch \(id)\n") }
    func forget(_ id: pid_t) { tell("forget \(id)\n") }

    private func tell(_ line: String) {
        input.withLock { $0.write(Data(line.utf8)) }
    }
}
