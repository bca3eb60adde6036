import NIOCore
import Synchronization
import SynodClient

/// The clients of one event loop. Each is a chain of calls: the completion of one begins the next.
final class Worker {
    private let eventLoop: any EventLoop
    private let links: [EndpointLink]
    private let workload: Workload
    private let budget: Budget
    private let keys: Int
    private let timeout: TimeAmount
    private let progress: Progress
    private let finished: EventLoopPromise<Tally>
    private var tally = Tally()
    private var clientsLeft: Int
    private var generator = SystemRandomNumberGenerator()

    /// - Parameter links: At least one, all of this event loop.
    init(
        eventLoop: any EventLoop, links: [EndpointLink], clients: Int, workload: Workload,
        budget: Budget, configuration: BenchConfiguration, progress: Progress
    ) {
        self.eventLoop = eventLoop
        self.links = links
        self.workload = workload
        self.budget = budget
        self.progress = progress
        keys = configuration.keys
        timeout = TimeAmount(configuration.timeout)
        clientsLeft = clients
        finished = eventLoop.makePromise()
    }

    /// Sets all clients going; the tally comes when the last of them has ended.
    func run() -> EventLoopFuture<Tally> {
        if clientsLeft == 0 { finished.succeed(tally) }
        for client in 0..<clientsLeft { proceed(on: links[client % links.count]) }
        for link in links { link.flush() }
        return finished.futureResult
    }

    /// One client's next operation, or its end.
    private func proceed(on link: EndpointLink) {
        guard let ticket = budget.take() else {
            clientsLeft -= 1
            if clientsLeft == 0 { finished.succeed(tally) }
            return
        }
        if ticket.due > .now() {
            eventLoop.assumeIsolated().scheduleTask(deadline: ticket.due) {
                self.begin(ticket, on: link)
                link.flush()
            }
        } else {
            begin(ticket, on: link)
        }
    }

    private func begin(_ ticket: Budget.Ticket, on link: EndpointLink) {
        let template = workload.template(using: &generator)
        let key =
            switch workload.order {
            case .random: Int.random(in: 0..<keys, using: &generator)
            case .sequential: ticket.number % keys
            }
        link.unary(path: template.path, message: template.request(key: key), timeout: timeout) {
            result in
            switch result {
            case .success:
                let latency = max(0, (NIODeadline.now() - ticket.due).nanoseconds)
                self.tally.succeed(microseconds: UInt64(latency) / 1000)
                self.progress.succeeded.add(1, ordering: .relaxed)
            case .failure(let failure):
                self.tally.fail(failure.error.description)
                self.progress.failed.add(1, ordering: .relaxed)
            }
            self.proceed(on: link)
            link.flush()
        }
    }
}

/// Counts that may be looked at while the workers run.
final class Progress: Sendable {
    let succeeded = Atomic<Int>(0)
    let failed = Atomic<Int>(0)
}
