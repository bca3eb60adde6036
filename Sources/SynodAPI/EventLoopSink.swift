import NIOCore
import Synchronization
import SynodNode

/// Brings answers from the replica to one event loop, with one wake-up for all that come
/// until the loop gets to them.
final class EventLoopSink: AnswerSink {
    private struct Queue {
        var batches: [[Answer]] = []
        var isClosed = false
    }

    let eventLoop: any EventLoop
    let service: NIOLoopBoundBox<APIService>
    private let queue = Mutex(Queue())

    init(service: sending APIService, eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        self.service = NIOLoopBoundBox.makeBoxSendingValue(service, eventLoop: eventLoop)
    }

    func deliver(_ answers: [Answer]) {
        let mustWake = queue.withLock { queue in
            guard !queue.isClosed else { return false }
            queue.batches.append(answers)
            return queue.batches.count == 1
        }
        if mustWake { eventLoop.execute { self.drain() } }
    }

    /// Lets the connections end, and drops all answers from then on.
    func shutDown(within grace: TimeAmount) async {
        let closed = eventLoop.flatSubmit {
            self.service.value.shutDown(within: grace, on: self.eventLoop)
        }
        // Fails only when the event loop is gone, and its connections with it.
        try? await closed.get()
        queue.withLock { $0.isClosed = true }
    }

    private func drain() {
        let batches = queue.withLock { queue in
            let batches = queue.batches
            queue.batches = []
            return batches
        }
        service.value.deliver(batches)
    }
}
