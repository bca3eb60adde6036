@preconcurrency import Foundation
import Synchronization

/// Names the run under way on a thread when it traps, which nothing can catch: prints the command
/// that repeats it and ends the process with the code for a crash.
enum CrashLine {
    private static let limit = 512
    private static let threads = 64

    /// The line of one thread, made before anything goes wrong: a signal handler must not allocate.
    private struct Line {
        var thread: pthread_t?
        var length = 0
        let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: limit)
    }

    private nonisolated(unsafe) static let lines: UnsafeMutablePointer<Line> = {
        let lines = UnsafeMutablePointer<Line>.allocate(capacity: threads)
        for index in 0..<threads { (lines + index).initialize(to: Line()) }
        return lines
    }()
    private static let registration = Mutex(())

    static func install() {
        _ = lines
        // A trap does not flush: whole lines of a transcript must have left before.
        setvbuf(stdout, nil, _IOLBF, 0)
        for number in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT] {
            signal(number) { _ in
                // A signal from outside may meet any thread: then all runs under way are named.
                if !CrashLine.tell(of: pthread_self()) { _ = CrashLine.tell(of: nil) }
                _exit(127)
            }
        }
    }

    /// Prints the line of a thread, or of all. False if there is none.
    private static func tell(of thread: pthread_t?) -> Bool {
        var isKnown = false
        for index in 0..<threads {
            let line = lines + index
            guard let owner = line.pointee.thread,
                thread.map({ pthread_equal($0, owner) != 0 }) ?? true
            else { continue }
            _ = write(STDOUT_FILENO, line.pointee.bytes, line.pointee.length)
            isKnown = true
        }
        return isKnown
    }

    /// This thread begins a run.
    static func begin(_ command: String) {
        let text = Array("crash 127: \(command)\n".utf8.prefix(limit))
        registration.withLock { _ in
            let own = pthread_self()
            let places = (0..<threads).map { lines + $0 }
            let place =
                places.first { $0.pointee.thread.map { pthread_equal($0, own) != 0 } ?? false }
                ?? places.first { $0.pointee.thread == nil }
            guard let place else { return }
            place.pointee.bytes.update(from: text, count: text.count)
            place.pointee.length = text.count
            place.pointee.thread = own
        }
    }
}
