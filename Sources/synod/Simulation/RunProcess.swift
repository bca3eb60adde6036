import ArgumentParser
import Foundation
import SynodSimulation

/// A run in a process of its own, because it may trap. It ends with this process.
enum RunProcess {
    static func ending(of options: RunOptions) throws -> Shrinker.Ending {
        let process = Process()
        process.executableURL = try ownProgram()
        process.arguments =
            options.command.split(separator: " ").dropFirst().map(String.init)
            + ["--output", "json"]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        Interruption.endsToo(process.processIdentifier)
        let report = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        Interruption.endsToo(nil)
        guard !Interruption.hasCome else { throw ExitCode(Interruption.exitCode) }
        return Shrinker.Ending(
            code: process.terminationStatus, invariant: Report.invariant(inJSON: report))
    }

    private static func ownProgram() throws -> URL {
        let path = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(fileURLWithPath: path)
    }
}
