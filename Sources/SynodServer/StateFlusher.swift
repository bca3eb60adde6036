import SynodDisk
import SynodPaxos
import SynodStorage

/// Makes the state durable now and then, on a thread of its own, while the replica goes on.
final class StateFlusher: Sendable {
    private struct Job: Sendable {
        let store: RocksStore
        let through: Slot
    }

    private let ended = Mailbox<Void>(capacity: 1)
    /// The node asks for one flush at a time.
    private let mailbox = Mailbox<Job>(capacity: 4)
    private let onFlushed: @Sendable (Slot) -> Void
    private let onFailure: @Sendable (StorageError) -> Void

    init(
        onFlushed: @escaping @Sendable (Slot) -> Void,
        onFailure: @escaping @Sendable (StorageError) -> Void
    ) {
        self.onFlushed = onFlushed
        self.onFailure = onFailure
    }

    func start() {
        Platform.startThread("synod-flush") { [self] in
            run()
            ended.close()
        }
    }

    func flush(_ store: RocksStore, through slot: Slot) {
        mailbox.put(Job(store: store, through: slot))
    }

    /// Ends the thread after what it was given, and waits for that.
    func stop() {
        mailbox.close()
        ended.waitUntilClosed()
    }

    private func run() {
        var jobs: [Job] = []
        while mailbox.take(into: &jobs, until: .distantFuture) {
            for job in jobs {
                do throws(StorageError) {
                    try job.store.flush()
                } catch {
                    return onFailure(error)
                }
                onFlushed(job.through)
            }
        }
    }
}
