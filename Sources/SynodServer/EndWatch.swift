import Logging
import SynodPaxos

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Ends the process when its end in good order takes too long: nobody can take back a write that a
/// hanging disk does not complete, and all who wait for it would wait for ever.
final class EndWatch: Sendable {
    /// Calls in flight take two seconds at most, and a disk in order a fraction of one. Less than the ten
    /// that container engines leave to a process, so that it is told why.
    private static let patience = Interval.milliseconds(8_000)

    private let logger: Logger
    private let isOver = Mailbox<Void>(capacity: 1)

    init(_ logger: Logger) {
        self.logger = logger
    }

    /// The end begins. More than one beginning makes no difference.
    func start() {
        Platform.startThread("synod-end") { [self] in
            var nothing: [Void] = []
            guard isOver.take(into: &nothing, until: Platform.now() + Self.patience) else { return }
            logger.critical(
                "ends without waiting any longer for a disk that does not answer",
                metadata: ["waited": "\(Self.patience.nanoseconds / 1_000_000_000) s"])
            _exit(1)
        }
    }

    /// The end is over.
    func stop() {
        isOver.close()
    }
}
