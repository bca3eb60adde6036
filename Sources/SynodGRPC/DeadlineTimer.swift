import NIOCore

/// A ``DeadlineWheel`` with the one scheduled task that turns it. Lives on its event loop.
final class DeadlineTimer {
    private var wheel = DeadlineWheel()
    private let eventLoop: any EventLoop
    private let expired: ([UInt32]) -> Void
    private var task: Scheduled<Void>?
    private var wakeUp: NIODeadline?

    /// `expired` gets the slots whose deadline is over, at most one tick late.
    init(eventLoop: any EventLoop, expired: @escaping ([UInt32]) -> Void) {
        self.eventLoop = eventLoop
        self.expired = expired
    }

    /// Sets the deadline of a slot that has none.
    func set(after timeout: TimeAmount, slot: UInt32) {
        let now = eventLoop.now
        let wanted = wheel.set(now + timeout, slot: slot, now: now)
        if let wakeUp, wakeUp <= wanted { return }
        schedule(wanted)
    }

    func clear(slot: UInt32) {
        wheel.clear(slot: slot)
    }

    func stop() {
        task?.cancel()
        task = nil
        wakeUp = nil
    }

    private func schedule(_ time: NIODeadline) {
        task?.cancel()
        wakeUp = time
        task = eventLoop.assumeIsolated().scheduleTask(deadline: time) { [weak self] in
            self?.turn()
        }
    }

    private func turn() {
        wakeUp = nil
        task = nil
        let slots = wheel.expire(now: eventLoop.now)
        if !slots.isEmpty { expired(slots) }
        if wakeUp == nil, let next = wheel.nextWakeUp { schedule(next) }
    }
}
