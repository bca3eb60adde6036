import Foundation
import Synchronization

/// Control-C. The first one asks for an end in good order, and ends a child at once; a second one
/// ends this process, too.
enum Interruption {
    /// As shells have it.
    static let exitCode = 128 + SIGINT

    private static let isPending = Atomic(false)
    /// The process to be ended; zero if there is none.
    private static let child = Atomic<pid_t>(0)

    static var hasCome: Bool { isPending.load(ordering: .sequentiallyConsistent) }

    /// A child has a process group of its own, which Control-C does not reach.
    static func endsToo(_ pid: pid_t?) {
        child.store(pid ?? 0, ordering: .sequentiallyConsistent)
        // It may have come after the child and before we knew it.
        if hasCome { endChild() }
    }

    static func listen() {
        // Made now: a signal handler must not allocate.
        _ = hasCome
        endsToo(nil)
        signal(SIGINT) { _ in
            let isSecond = Interruption.isPending.exchange(true, ordering: .sequentiallyConsistent)
            Interruption.endChild()
            if isSecond { _exit(Interruption.exitCode) }
        }
        // A process started by a thread that takes no signals begins with all of them blocked.
        var own = sigset_t()
        sigemptyset(&own)
        sigaddset(&own, SIGINT)
        pthread_sigmask(SIG_UNBLOCK, &own, nil)
    }

    private static func endChild() {
        let pid = child.load(ordering: .sequentiallyConsistent)
        if pid > 0 { kill(pid, SIGKILL) }
    }
}
