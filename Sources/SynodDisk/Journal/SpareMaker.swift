import Synchronization
import SynodStorage

#if canImport(Glibc)
    @preconcurrency import Glibc
#elseif canImport(Musl)
    @preconcurrency import Musl
#else
    @preconcurrency import Darwin
#endif

/// Makes one file for a segment on a thread of its own, so that nobody waits for it: a little at a
/// time, because a disk that is given it all at once keeps the log's own writes waiting.
final class SpareMaker: Sendable {
    /// Microseconds of rest after each part.
    private static let rest: UInt32 = 10_000

    private let isUrgent = Atomic(false)
    private let path: String
    private let size: Int
    private let result = Mutex<Result<SegmentFile, StorageError>?>(nil)
    private let thread = Mutex<pthread_t?>(nil)

    init(making path: String, size: Int) {
        self.path = path
        self.size = size
        let box = Unmanaged.passRetained(self)
        #if canImport(Darwin)
            var started: pthread_t?
        #else
            var started = pthread_t()
        #endif
        let failure = pthread_create(&started, nil, makeSpare, box.toOpaque())
        if failure == 0 {
            thread.withLock { $0 = started }
        } else {
            box.release()
        }
    }

    /// Waits until the file is made or has turned out to be impossible to make.
    func finish() throws(StorageError) -> SegmentFile {
        isUrgent.store(true, ordering: .relaxed)
        if let thread = thread.withLock({ $0.take() }) { pthread_join(thread, nil) }
        guard let result = result.withLock({ $0.take() }) else {
            return try SegmentFile(making: path, size: size)
        }
        return try result.get()
    }

    fileprivate func run() {
        let made: Result<SegmentFile, StorageError>
        do throws(StorageError) {
            let file = try SegmentFile(making: path, size: size) { file throws(StorageError) in
                if isUrgent.load(ordering: .relaxed) { return }
                try file.syncContent()
                usleep(Self.rest)
            }
            made = .success(file)
        } catch {
            made = .failure(error)
        }
        result.withLock { $0 = made }
    }
}

#if canImport(Darwin)
    private func makeSpare(_ argument: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        Unmanaged<SpareMaker>.fromOpaque(argument).takeRetainedValue().run()
        return nil
    }
#else
    private func makeSpare(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        Unmanaged<SpareMaker>.fromOpaque(argument!).takeRetainedValue().run()
        return nil
    }
#endif
