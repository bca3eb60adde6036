import SynodDisk
import SynodNode
import SynodPaxos
import SynodStorage

/// The disk thread: writes the node's log batches in order and reports each when it is durable.
///
/// Group commit: all batches that were handed in while the last write was being synced go to the
/// disk together, so that one fsync serves them all.
final class LogWriter: Sendable {
    private struct Job: Sendable {
        let batch: WriteBatch
        let ticket: LogTicket
    }

    private let ended = Mailbox<Void>(capacity: 1)
    private let mailbox = Mailbox<Job>(capacity: .max)
    private let store: Journal
    private let onWritten: @Sendable (LogTicket) -> Void
    private let onFailure: @Sendable (StorageError) -> Void

    /// The closures are called on the disk thread. After a failure nothing more is written: what
    /// an fsync has lost once, a second one does not bring back.
    init(
        store: Journal, onWritten: @escaping @Sendable (LogTicket) -> Void,
        onFailure: @escaping @Sendable (StorageError) -> Void
    ) {
        self.store = store
        self.onWritten = onWritten
        self.onFailure = onFailure
    }

    func start() {
        Platform.startThread("synod-log") { [self] in
            run()
            ended.close()
        }
    }

    /// The node takes nothing more from its peers while too many bytes wait here, so the queue is
    /// bounded.
    func write(_ batch: WriteBatch, _ ticket: LogTicket) {
        mailbox.put(Job(batch: batch, ticket: ticket))
    }

    /// Ends the thread after what it was given, and waits for that.
    func stop() {
        mailbox.close()
        ended.waitUntilClosed()
    }

    private func run() {
        var jobs: [Job] = []
        while mailbox.take(into: &jobs, until: .distantFuture) {
            var group = WriteBatch()
            for (index, job) in jobs.enumerated() {
                if group.isEmpty { group = job.batch } else { group.append(job.batch) }
                guard index == jobs.count - 1 || group.byteCount >= Self.groupBytes else {
                    continue
                }
                do throws(StorageError) {
                    try store.write(group, durability: .synced)
                } catch {
                    return onFailure(error)
                }
                group = WriteBatch()
                onWritten(job.ticket)
            }
        }
    }

    /// A group that is as large goes to the disk without those behind it: with the one batch that
    /// makes it so, it usually has room in a segment of the journal.
    private static let groupBytes = JournalLimits.segment / 4
}
