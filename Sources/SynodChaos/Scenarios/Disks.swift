import Foundation
import SynodBytes
import SynodLauncher

extension Scenario {
    static let diskScenarios = [
        Scenario(
            "disk-full", "the volume of one member fills up, and has room again",
            needsSmallVolume: true, obstacle: { SmallVolume.obstacle },
            play: repeated(fillVolume)),
        Scenario(
            "disk-error", "syncs to the disk of one member fail from some moment on",
            obstacle: { Tracer.obstacle }, play: repeated(failSyncs)),
    ]

    /// First so little room that the member refuses its clients' writes, then none at all, at which
    /// it must end rather than go on; with room again it comes back.
    private static let fillVolume: @Sendable (inout Stage) async throws -> Void = { stage in
        guard let (member, volume) = stage.volume else { return }
        // What the others decide is written here all the same, and may use up the rest.
        member.expectEnd()
        volume.fill(leaving: 6 << 20)
        stage.count("volumes nearly filled")
        try await stage.wait(milliseconds: 500...2000)
        volume.fill()
        stage.count("volumes filled")
        if let ending = await member.waitForEnd(within: .seconds(8)) {
            stage.count("members that ended for want of space")
            guard member.log(last: 4000).contains("the disk is full") else {
                return stage.complain(
                    "\(member.name) \(ending) on a full volume without saying that it is full.")
            }
        }
        // One that had nothing to write, or is about to end, must not end later.
        await member.kill()
        volume.empty()
        try member.start()
        try await stage.cluster.waitUntilServing(member, within: .seconds(30))
        try await stage.wait(milliseconds: 300...1000)
    }

    /// The member must end at the first failed sync: what was not synced then never will be.
    private static let failSyncs: @Sendable (inout Stage) async throws -> Void = { stage in
        let member = stage.anyMember()
        await member.kill()
        let first = stage.chance.within(5...300)
        try member.start(under: Tracer.failingSyncs(from: Int(first)))
        member.expectEnd()
        guard let ending = await member.waitForEnd(within: .seconds(20)) else {
            stage.complain("\(member.name) goes on although its syncs fail.")
            return await member.kill()
        }
        stage.count("syncs failed")
        if case .exited(let code) = ending, code > 0 {
        } else {
            stage.complain("\(member.name) \(ending) when a sync failed, instead of giving up.")
        }
        try member.start()
        try await stage.cluster.waitUntilServing(member, within: .seconds(30))
        try await stage.wait(milliseconds: 200...700)
    }
}

/// Runs a member so that system calls of its choice fail.
enum Tracer {
    private static let path = ["/usr/bin/strace", "/usr/local/bin/strace"]
        .first(where: FileManager.default.isExecutableFile)

    /// Why nothing can be traced here; nil if it can.
    static var obstacle: String? { path == nil ? "strace is not installed" : nil }

    /// Every sync of a thread from its `first` one on fails with EIO. The tracer detaches itself,
    /// so that the process started is the member's own.
    static func failingSyncs(from first: Int) -> [String] {
        [
            path ?? "strace", "-D", "-f", "--seccomp-bpf", "-o", "/dev/null",
            "-e", "trace=fdatasync,fsync",
            "-e", "inject=fdatasync,fsync:error=EIO:when=\(first)+",
        ]
    }
}
