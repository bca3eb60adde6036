@preconcurrency import Foundation

/// What commands say beside what they print: at once, and whether anybody could read it.
enum Console {
    /// Prints a line of the report that is to be read before the command ends.
    static func sayAtOnce(_ line: String) {
        print(line)
        fflush(stdout)
    }

    /// Writes to the standard error output, where it is of no account whether anybody reads it.
    static func tell(_ text: String) {
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
    }

    /// Whether all that was printed so far has reached the standard output. `print` itself keeps
    /// quiet about a full disk or a closed pipe, and the stream remembers it.
    static func hasPrintedAll() -> Bool {
        fflush(stdout) == 0 && ferror(stdout) == 0
    }
}
