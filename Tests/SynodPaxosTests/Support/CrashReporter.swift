import Foundation

/// Names the seed under test when the core traps, which no test can catch.
enum CrashReporter {
    private nonisolated(unsafe) static var seed: UInt64 = 0
    private nonisolated(unsafe) static var isInstalled = false

    /// To be called by one test at a time.
    static func running(_ seed: UInt64) {
        self.seed = seed
        guard !isInstalled else { return }
        isInstalled = true
        for number in [SIGILL, SIGTRAP, SIGSEGV] {
            signal(number) { number in
                print("The core trapped with SYNOD_SEED=\(CrashReporter.seed)")
                fflush(nil)
                signal(number, SIG_DFL)
                raise(number)
            }
        }
    }
}
