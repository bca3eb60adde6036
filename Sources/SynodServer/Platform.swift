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

    /// Allows this process as many open files and connections as the system lets it have, and
    /// returns how many.
    static func raiseFileLimit() -> UInt64 {
        var limit = rlimit()
        #if canImport(Darwin)
            let resource = RLIMIT_NOFILE
        #else
            let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        #endif
        guard getrlimit(resource, &limit) == 0 else { return 0 }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(resource, &limit)
        _ = getrlimit(resource, &limit)
        return UInt64(limit.rlim_cur)
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
        // glibc hides pthread_setname_np from Swift; the kernel takes the name here as well.
        let file = open("/proc/thread-self/comm", O_WRONLY)
        if file >= 0 {
            _ = write(file, thread.name, thread.name.utf8.count)
            close(file)
        }
        thread.body()
        return nil
    }
#endif
