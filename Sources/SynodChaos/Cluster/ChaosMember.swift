import Foundation
import Synchronization
import SynodLauncher

/// One member of the cluster under test: what it is started with and, while it runs, its process.
package final class ChaosMember: Sendable {
    private struct State {
        var child: Child?
        var isPaused = false
        /// A scenario ended the process or lets it end.
        var mayEnd = false
        var ended = Gate<Ending>()
        var unexpectedEnds: [String] = []
        var starts = 0
    }

    package let index: Int
    let plan: ReplicaPlan
    private let executable: String
    private let state = Mutex(State())

    init(index: Int, plan: ReplicaPlan, executable: String) {
        self.index = index
        self.plan = plan
        self.executable = executable
    }

    package var name: String { plan.name }
    package var endpoint: String { plan.clientEndpoint }
    var isRunning: Bool { state.withLock { $0.child != nil } }
    var isPaused: Bool { state.withLock { $0.isPaused } }
    /// How often it was started.
    var starts: Int { state.withLock { $0.starts } }
    /// One sentence for each time that it ended although no scenario asked for it.
    var unexpectedEnds: [String] { state.withLock { $0.unexpectedEnds } }

    /// Starts it, unless it runs.
    /// - Parameter wrapper: a program and its arguments that run the member's command line as the
    ///   process itself, as `strace -D` does.
    func start(under wrapper: [String] = []) throws {
        guard !isRunning else { return }
        let command = wrapper + [executable] + plan.arguments
        let wrapped = ReplicaPlan(
            name: plan.name, clientPort: plan.clientPort, peerPort: plan.peerPort,
            dataDirectory: plan.dataDirectory, logFile: plan.logFile,
            arguments: Array(command.dropFirst()))
        try state.withLock { state in
            let ended = Gate<Ending>()
            let child = try Child(wrapped, index: index, executable: command[0]) { event in
                if case .ended(_, let pid, let ending) = event { self.hasEnded(pid, ending, ended) }
            }
            Guardian.shared.watch(child.pid)
            (state.child, state.ended) = (child, ended)
            (state.isPaused, state.mayEnd) = (false, false)
            state.starts += 1
        }
    }

    /// Ends it with SIGKILL, also when it is stopped, and waits for that.
    func kill() async {
        expectEnd()
        signal(SIGKILL)
        _ = await waitForEnd(within: .seconds(10))
    }

    /// Whatever ends it from now on, until it is started again, is no surprise.
    func expectEnd() { state.withLock { $0.mayEnd = true } }

    /// How it ended; nil if it has not in time. Of a member that does not run, how it ended last.
    func waitForEnd(within limit: Duration) async -> Ending? {
        await state.withLock { $0.ended }.wait(within: limit)
    }

    func pause() {
        state.withLock { $0.isPaused = true }
        signal(SIGSTOP)
    }

    func resume() {
        signal(SIGCONT)
        state.withLock { $0.isPaused = false }
    }

    /// Asks it to end in good order.
    func terminate() {
        expectEnd()
        signal(SIGTERM)
    }

    func signal(_ number: Int32) { state.withLock { $0.child }?.send(number) }

    /// The end of what it wrote to its log.
    func log(last bytes: Int) -> String {
        let data = FileManager.default.contents(atPath: plan.logFile) ?? Data()
        return String(decoding: data.suffix(bytes), as: UTF8.self)
    }

    private func hasEnded(_ pid: Int32, _ ending: Ending, _ ended: Gate<Ending>) {
        Guardian.shared.forget(pid)
        state.withLock { state in
            if !state.mayEnd { state.unexpectedEnds.append("\(name) (pid \(pid)) \(ending)") }
            if state.child?.pid == pid { state.child = nil }
        }
        ended.open(ending)
    }
}
