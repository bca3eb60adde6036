import SynodNode
import SynodPaxos
import SynodRocksDB
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
    private let store: RocksStore
    private let onWritten: @Sendable (LogTicket) -> Void
    private let onFailure: @Sendable (StorageError) -> Void

    /// The closures are called on the disk thread. After a failure nothing more is written: what
    /// an fsync has lost once, a second one does not bring back.
    init(
        store: RocksStore, onWritten: @escaping @Sendable (LogTicket) -> Void,
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
            guard let first = jobs.first, let last = jobs.last else { continue }
            var batch = first.batch
            for job in jobs.dropFirst() { batch.append(job.batch) }
            do throws(StorageError) {
                try store.write(batch, durability: .synced)
            } catch {
                return onFailure(error)
            }
            onWritten(last.ticket)
        }
    }
}
