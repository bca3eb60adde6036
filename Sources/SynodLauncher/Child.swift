import Foundation
import Synchronization

/// One process of a replica: its output goes to the log file and is searched for the line that
/// says it is ready.
package final class Child: Sendable {
    package let pid: Int32
    /// Where this process's own output begins in the log file.
    package let logOffset: UInt64
    /// Held open for as long as the child is to live: it stops when its standard input ends.
    private let lifeline: Pipe
    /// Once the process is reaped its id may be another's.
    private let isReaped = Mutex(false)

    /// Starts the process. Throws ``ClusterError`` when that is impossible.
    package init(
        _ plan: ReplicaPlan, index: Int, executable: String,
        report: @escaping @Sendable (ClusterEvent) -> Void
    ) throws(ClusterError) {
        let (log, logOffset) = try Self.open(plan.logFile)
        let (input, output) = (Pipe(), Pipe())
        let pid = try spawn(
            executable, plan.arguments,
            input: input.fileHandleForReading.fileDescriptor,
            output: output.fileHandleForWriting.fileDescriptor)
        try? input.fileHandleForReading.close()
        try? output.fileHandleForWriting.close()
        self.pid = pid
        self.logOffset = logOffset
        lifeline = input
        let follower = OutputFollower(
            log: log, onReady: { report(.ready(index, pid: pid)) },
            onFault: { report(.faultInjected(index, kind: $0)) })
        Thread.detachNewThread { follower.follow(output.fileHandleForReading) }
        Thread.detachNewThread {
            waitForEnd(of: pid)
            follower.waitForEnd()
            let ending = self.isReaped.withLock { isReaped in
                isReaped = true
                return reap(pid)
            }
            report(.ended(index, pid: pid, ending))
        }
    }

    /// Asks the process to end.
    package func terminate() {
        send(SIGTERM)
    }

    /// Ends the process.
    package func destroy() {
        send(SIGKILL)
    }

    /// Sends a signal unless the process has ended.
    package func send(_ signal: Int32) {
        isReaped.withLock { isReaped in
            if !isReaped { kill(pid, signal) }
        }
    }

    private static func open(
        _ path: String
    ) throws(ClusterError) -> (log: FileHandle, offset: UInt64) {
        if !FileManager.default.fileExists(atPath: path) {
            _ = FileManager.default.createFile(atPath: path, contents: nil)
        }
        guard let log = FileHandle(forWritingAtPath: path), let offset = try? log.seekToEnd()
        else { throw ClusterError("the log file \(path) cannot be written") }
        return (log, offset)
    }
}

/// Copies a replica's output to its log and notices when it is ready and what it injects.
private final class OutputFollower: Sendable {
    /// What `synod serve`, like etcd, prints once clients may come.
    private static let readyLine = Data("ready to serve client requests".utf8)

    private let log: FileHandle
    private let onReady: @Sendable () -> Void
    private let onFault: @Sendable (String) -> Void
    private let end = DispatchSemaphore(value: 0)

    init(
        log: FileHandle, onReady: @escaping @Sendable () -> Void,
        onFault: @escaping @Sendable (String) -> Void
    ) {
        self.log = log
        self.onReady = onReady
        self.onFault = onFault
    }

    /// Occupies the calling thread until the output ends.
    func follow(_ output: FileHandle) {
        // The end of the output, as the line may be split between two reads; nil once it was seen.
        var recent: Data? = Data()
        var faults = FaultReports()
        while case let data = output.availableData, !data.isEmpty {
            // A full disk must not end the launcher too.
            try? log.write(contentsOf: data)
            for kind in faults.kinds(in: data) { onFault(kind) }
            guard let seen = recent.map({ $0 + data }) else { continue }
            let isReady = seen.range(of: Self.readyLine) != nil
            recent = isReady ? nil : Data(seen.suffix(Self.readyLine.count))
            if isReady { onReady() }
        }
        end.signal()
    }

    /// Waits until the last words of a process that has ended are in the log, but not for
    /// processes of its own that it may have left behind with its output open.
    func waitForEnd() {
        _ = end.wait(timeout: .now() + .milliseconds(500))
    }
}
