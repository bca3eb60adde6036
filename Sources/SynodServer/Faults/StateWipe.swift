import Logging
import SynodNode
import SynodStorage

#if canImport(Glibc)
    @preconcurrency import Glibc
#elseif canImport(Musl)
    @preconcurrency import Musl
#else
    @preconcurrency import Darwin
#endif

/// A learner that loses what it has learned, and nothing else.
///
/// The state is removed at the next start, when no store is open. Promises and accepted entries
/// stay. It is done only while the log still has every entry from the first one on, so that the
/// state is learned again from it. Later a peer's state would be fetched; but these faults hit all
/// replicas, and if all lost what their logs no longer have, it would be gone.
struct StateWipe {
    private let marker: String

    init(_ configuration: ServerConfiguration) {
        marker = configuration.dataDirectory + "/inject-state-wipe"
    }

    /// To be carried out at the next start.
    func request() {
        let descriptor = open(marker, O_WRONLY | O_CREAT, 0o600)
        if descriptor >= 0 { close(descriptor) }
    }

    /// Whether it was requested before this start; it is then forgotten.
    func take() -> Bool { unlink(marker) == 0 }

    /// Whether the state may go, and says so.
    static func isSafe(_ log: some Store, _ logger: Logger) throws(StorageError) -> Bool {
        guard try LogSchema.reachesBackToTheStart(log) else {
            logger.warning("keeps its state, because the log no longer has all of it")
            return false
        }
        logger.warning("its state was wiped: it learns it again from its log")
        return true
    }
}
