import Foundation
import SynodSimulation

/// Looks for a smaller run that fails in the same class: fewer faults, shorter, fewer requests,
/// fewer replicas. Every attempt is a process of its own, because a run may trap.
struct Shrinker {
    private var options: RunOptions

    init(_ options: RunOptions) {
        self.options = options
    }

    /// Returns the exit code of the smallest run.
    mutating func run() throws -> Int32 {
        let code = try attempt(options)
        guard code != 0 else {
            print("the run does not fail: \(options.command)")
            return 0
        }
        let first = Simulation.outline(of: options)
        for fault in first.faults where !options.without.contains(fault) {
            var candidate = options
            candidate.without.append(fault)
            try keep(candidate, ifItEndsWith: code)
        }
        if options.profile.usesSeconds {
            try lower(from: Int(first.seconds), code) { $0.seconds = UInt64($1) }
        }
        if options.profile.usesOperations {
            try lower(from: first.operations, code) { $0.operations = $1 }
        }
        let fewest = options.profile.needsPeers ? 2 : 1
        for count in fewest..<max(first.replicas, fewest) {
            var candidate = options
            candidate.replicas = count
            if try keep(candidate, ifItEndsWith: code) { break }
        }
        print("smallest: \(options.command)")
        return code
    }

    /// Halves a number for as long as the run still fails.
    private mutating func lower(
        from start: Int, _ code: Int32, _ set: (inout RunOptions, Int) -> Void
    ) throws {
        var number = start / 2
        while number > 0 {
            var candidate = options
            set(&candidate, number)
            guard try keep(candidate, ifItEndsWith: code) else { return }
            number /= 2
        }
    }

    @discardableResult
    private mutating func keep(_ candidate: RunOptions, ifItEndsWith code: Int32) throws -> Bool {
        guard try attempt(candidate) == code else { return false }
        options = candidate
        print("still fails: \(options.command)")
        return true
    }

    private static func ownProgram() throws -> URL {
        let path = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(fileURLWithPath: path)
    }

    private func attempt(_ options: RunOptions) throws -> Int32 {
        let process = Process()
        process.executableURL = try Self.ownProgram()
        process.arguments = Array(
            options.command.split(separator: " ").dropFirst().map(String.init))
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }
}
