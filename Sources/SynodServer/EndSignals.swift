#if canImport(Glibc)
    @preconcurrency import Glibc
#elseif canImport(Musl)
    @preconcurrency import Musl
#else
    @preconcurrency import Darwin
#endif

/// Takes the two signals that ask a process to end, so that it can end in good order. One of
/// these in a process.
final class EndSignals: Sendable {
    private let readEnd: CInt

    init() {
        var ends: [CInt] = [0, 0]
        let result = pipe(&ends)
        precondition(result == 0, "The system has room for another pipe.")
        readEnd = ends[0]
        signalPipe = ends[1]
        signal(SIGINT, forwardSignal)
        signal(SIGTERM, forwardSignal)
        // A peer or client that closes its socket is an error of a write, not the end of us.
        signal(SIGPIPE, SIG_IGN)
    }

    /// Waits for the first signal, on the calling thread, and returns its name.
    func wait() -> String {
        var number: UInt8 = 0
        while read(readEnd, &number, 1) != 1 {}
        return CInt(number) == SIGINT ? "SIGINT" : "SIGTERM"
    }
}

/// Set once, before the handler can run.
nonisolated(unsafe) private var signalPipe: CInt = -1

/// Whether a signal has come already.
nonisolated(unsafe) private var isEnding = false

/// A handler may do next to nothing; writing to a pipe and ending at once are allowed. The second
/// signal ends the process at once, for whoever is tired of waiting for a disk that hangs.
private func forwardSignal(_ number: CInt) {
    if isEnding { _exit(128 + number) }
    isEnding = true
    var byte = UInt8(truncatingIfNeeded: number)
    _ = write(signalPipe, &byte, 1)
}
