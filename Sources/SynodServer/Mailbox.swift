import SynodPaxos

#if canImport(Glibc)
    @preconcurrency import Glibc
#elseif canImport(Musl)
    @preconcurrency import Musl
#else
    @preconcurrency import Darwin
#endif

/// A queue with many writers and one reader who sleeps when it is empty: what has come in
/// meanwhile is taken out all at once, so that a burst costs one wake-up.
final class Mailbox<Item: Sendable>: @unchecked Sendable {
    // Guarded by `mutex`.
    private var items: [Item] = []
    private var isReaderWaiting = false
    private var isClosed = false

    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    /// Items beyond this are refused.
    private let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        #if !canImport(Darwin)
            pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        #endif
        pthread_cond_init(condition, &attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Adds an item; false when the box is full or closed.
    @discardableResult
    func put(_ item: Item) -> Bool {
        pthread_mutex_lock(mutex)
        guard !isClosed, items.count < capacity else {
            pthread_mutex_unlock(mutex)
            return false
        }
        items.append(item)
        let mustWake = isReaderWaiting
        isReaderWaiting = false
        pthread_mutex_unlock(mutex)
        if mustWake { pthread_cond_signal(condition) }
        return true
    }

    /// Takes everything out into `taken`, which is emptied first, waiting until `deadline` if
    /// there is nothing. False once the box is closed and empty.
    func take(into taken: inout [Item], until deadline: Instant) -> Bool {
        taken.removeAll(keepingCapacity: true)
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while items.isEmpty && !isClosed {
            isReaderWaiting = true
            let isOver = wait(until: deadline)
            isReaderWaiting = false
            if isOver { break }
        }
        swap(&items, &taken)
        return !(isClosed && taken.isEmpty)
    }

    /// Nothing goes in any more; the reader wakes up.
    func close() {
        pthread_mutex_lock(mutex)
        isClosed = true
        pthread_mutex_unlock(mutex)
        pthread_cond_signal(condition)
    }

    /// Waits, taking nothing, until the box is closed: one thread telling another that it has ended.
    func waitUntilClosed() {
        var dropped: [Item] = []
        while take(into: &dropped, until: .distantFuture) {}
    }

    /// True when the deadline has passed.
    private func wait(until deadline: Instant) -> Bool {
        guard deadline < .distantFuture else {
            pthread_cond_wait(condition, mutex)
            return false
        }
        let now = Platform.now()
        guard now < deadline else { return true }
        #if canImport(Darwin)
            var relative = timespec(nanoseconds: deadline.since(now).nanoseconds)
            return pthread_cond_timedwait_relative_np(condition, mutex, &relative) == ETIMEDOUT
        #else
            var absolute = timespec(nanoseconds: deadline.nanoseconds)
            return pthread_cond_timedwait(condition, mutex, &absolute) == ETIMEDOUT
        #endif
    }
}

extension timespec {
    fileprivate init(nanoseconds: UInt64) {
        self.init(
            tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    }
}
