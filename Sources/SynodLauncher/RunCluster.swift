import Dispatch
import Foundation
import SynodClient

/// Runs a cluster of child processes on this machine until SIGINT or SIGTERM, and tells what
/// becomes of it. Returns the exit code: 0 after it was stopped, 1 when the
/// replicas could not be started.
///
/// Throws ``ClusterError`` for an impossible configuration, ports in use or a directory that cannot
/// be made.
///
/// - Parameter say: Where lines for people go.
package func runCluster(
    _ configuration: ClusterConfiguration, say: @escaping @Sendable (String) -> Void
) async throws -> Int32 {
    try configuration.check()
    let plans = ReplicaPlan.all(of: configuration)
    try checkPorts(of: plans)
    do {
        try FileManager.default.createDirectory(
            atPath: configuration.directory, withIntermediateDirectories: true)
    } catch {
        throw ClusterError(
            "\(configuration.directory) cannot be made: \(error.localizedDescription)")
    }
    let (events, continuation) = AsyncStream.makeStream(of: ClusterEvent.self)
    let report: @Sendable (ClusterEvent) -> Void = { continuation.yield($0) }
    let signals = [SIGINT, SIGTERM].map { number in
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number)
        source.setEventHandler { report(.stopRequested) }
        source.resume()
        return source
    }
    let observer = try Observer(plans, report: report)
    let observing = Task { await observer.run() }
    var launcher = Launcher(configuration, plans: plans, say: say, report: report)
    let exitCode = await launcher.run(events)
    observing.cancel()
    await observing.value
    for source in signals { source.cancel() }
    return exitCode
}
