import Foundation
import SynodSimulation
import Testing

/// A seed is all there is to a run.
struct DeterminismTests {
    @Test(arguments: [1, 3, 8, 13] as [UInt64])
    func theSameSeedGivesTheSameRun(seed: UInt64) {
        let one = Simulation(RunOptions(seed: seed)).execute()
        let other = Simulation(RunOptions(seed: seed)).execute()
        #expect(one.digest == other.digest)
        #expect(one.events == other.events)
        #expect(one.faults == other.faults)
    }

    @Test func listeningChangesNothing() {
        var lines = 0
        let heard = Simulation(RunOptions(seed: 5)) { _ in lines += 1 }.execute()
        #expect(heard.digest == Simulation(RunOptions(seed: 5)).execute().digest)
        #expect(lines > 100)
    }

    /// Sets and dictionaries have another order in every process.
    @Test(arguments: Profile.allCases)
    func everyProcessGivesTheSameRun(profile: Profile) throws {
        var options = RunOptions(seed: 3, profile: profile)
        options.replicas = max(3, profile.fewestReplicas)
        if profile.usesClients { options.clients = 2 }
        if profile.usesOperations { options.operations = 30 }
        var digests: Set<String> = []
        for _ in 0..<2 {
            let process = Process()
            process.executableURL = try Self.synod()
            process.arguments = options.command.split(separator: " ").dropFirst().map(String.init)
            let pipe = Pipe()
            process.standardOutput = pipe
            try process.run()
            let text = String(
                decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            let last = try #require(text.split(whereSeparator: \.isWhitespace).last)
            digests.insert(String(last))
        }
        let own = Simulation(options).execute().digest
        #expect(digests == [String(own, radix: 16)])
    }

    /// Beside the tests, where the package manager puts it.
    private static func synod() throws -> URL {
        let path = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(fileURLWithPath: path).deletingLastPathComponent()
            .appendingPathComponent("synod")
    }
}
