package import SynodPaxos

#if canImport(Glibc)
    @preconcurrency import Glibc
#elseif canImport(Musl)
    @preconcurrency import Musl
#else
    @preconcurrency import Darwin
#endif

/// The little that the server needs of the operating system beside files and sockets.
package enum Platform {
    /// A clock that nobody sets.
    package static func now() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(
            nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    package static func random() -> UInt64 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }

    /// Keeps the two signals that ask a process to end from ending it at once, in this thread and
    /// in every thread it starts. To be called before any other thread is started.
    package static func holdEndSignals() {
        var signals = endSignals()
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        // A peer or client that closes its socket is an error of a write, not the end of us.
        signal(SIGPIPE, SIG_IGN)
    }

    /// Waits for one of the held signals, on the calling thread, and returns its name.
    static func waitForEndSignal() -> String {
        var signals = endSignals()
        var number: CInt = 0
        while sigwait(&signals, &number) != 0 {}
        return number == SIGINT ? "SIGINT" : "SIGTERM"
    }

    private static func endSignals() -> sigset_t {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGTERM)
        return signals
    }

    /// Runs `body` on a thread of its own.
    static func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let box = Unmanaged.passRetained(ThreadBody(name: name, body: body))
        #if canImport(Darwin)
            var thread: pthread_t?
        #else
            var thread = pthread_t()
        #endif
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
        let result = pthread_create(&thread, &attributes, threadMain, box.toOpaque())
        precondition(result == 0, "The system has room for another thread.")
    }
}

private final class ThreadBody: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}

#if canImport(Darwin)
    private func threadMain(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        let thread = Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue()
        pthread_setname_np(thread.name)
        thread.body()
        return nil
    }
#else
    private func threadMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        let thread = Unmanaged<ThreadBody>.fromOpaque(argument!).takeRetainedValue()
        pthread_setname_np(pthread_self(), thread.name)
        thread.body()
        return nil
    }
#endif
