import Logging
import NIOCore
import Synchronization
import SynodBytes
import SynodDisk
import SynodNode
import SynodPaxos
import SynodStorage

/// Drives the node on one event loop: takes what came in, steps once for all of it, and does what
/// the step asks for. Only that loop touches the node, so that the node needs no locks.
///
/// The loop is also the peers': their messages are read, dealt with and answered without passing
/// from thread to thread, which costs more than dealing with them. What arrives in one turn of
/// the loop, on however many connections, is one step.
final class ReplicaLoop: Sendable {
    typealias ServerNode = Node<Journal, RocksStore>

    /// Events that wait; requests beyond this are refused, peers' messages dropped.
    private static let inboxCapacity = 65_536

    /// What the loop hands its work to.
    struct Surroundings: Sendable {
        let peers: PeerBridge
        let answerSinks: [any AnswerSink]
        let directory: DataDirectory
        let logger: Logger
        /// The node cannot go on.
        let onFailure: @Sendable (String) -> Void
        /// A leader is known for the first time.
        let onReady: @Sendable () -> Void
    }

    /// What an observer is told of the replica.
    struct Observation: Sendable {
        let status: ReplicaStatus
        /// Leaders that it has followed or been since its start.
        let leadersSeen: UInt64
    }

    private struct Inbox {
        var events: [NodeEvent] = []
        var isTurnDue = false
        var isClosed = false
    }

    private let eventLoop: any EventLoop
    private let inbox = Mutex(Inbox())
    private let driver = Mutex<Driver?>(nil)
    private let sinks = Mutex<[any AnswerSink]>([])

    init(on eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func start(_ node: consuming ServerNode, log: Journal, in surroundings: Surroundings) {
        sinks.withLock { $0 = surroundings.answerSinks }
        let onFailure: @Sendable (StorageError) -> Void = { [self] error in
            eventLoop.execute { [self] in self.driver.withLock { $0 }?.halt() }
            // Not left to the driver, which may be on its way to the end.
            surroundings.onFailure(Self.describe(error))
        }
        let writer = LogWriter(
            store: log, onWritten: { [self] in post(.written(through: $0)) }, onFailure: onFailure)
        let flusher = StateFlusher(
            onFlushed: { [self] in post(.stateFlushed(through: $0)) }, onFailure: onFailure)
        writer.start()
        flusher.start()
        let driver = Driver(
            node: node, surroundings: surroundings, writer: writer, flusher: flusher,
            eventLoop: eventLoop, onDeadline: { [self] in takeTurn() })
        self.driver.withLock { $0 = driver }
        eventLoop.execute { [self] in takeTurn() }
    }

    /// Something happened. False when there is no room for it.
    @discardableResult
    func post(_ event: NodeEvent) -> Bool {
        let (isTaken, mustSchedule) = inbox.withLock { inbox in
            let isFull = inbox.events.count >= Self.inboxCapacity && event.mayBeLost
            guard !inbox.isClosed, !isFull else { return (false, false) }
            inbox.events.append(event)
            defer { inbox.isTurnDue = true }
            return (true, !inbox.isTurnDue)
        }
        if mustSchedule { eventLoop.execute { [self] in takeTurn() } }
        return isTaken
    }

    /// Runs on the event loop, after all that the loop has read in its present turn.
    private func takeTurn() {
        guard let driver = driver.withLock({ $0 }) else { return }
        driver.takeTurn { events in
            inbox.withLock { inbox in
                swap(&inbox.events, &events)
                inbox.isTurnDue = false
            }
        }
    }

    /// How the replica is between two of its steps, which it takes no part in itself: nothing is
    /// queued and nothing awaited. Nil before the start and after the end.
    func observe() -> EventLoopFuture<Observation?> {
        eventLoop.submit { [self] in driver.withLock { $0?.observation } }
    }

    /// Ends after what has come in so far. Then the stores are no longer in use, and the state
    /// store is closed.
    func stop() async {
        inbox.withLock { $0.isClosed = true }
        let ended = eventLoop.submit { [self] in
            takeTurn()
            return driver.withLock { driver in
                defer { driver = nil }
                return driver
            }
        }
        // Fails only when the event loop is gone, and the driver with it.
        try? await ended.get()?.end()
    }

    static func describe(_ error: StorageError) -> String {
        switch error.kind {
        case .full:
            "the disk is full: free some space and start this replica again; nothing that was "
                + "acknowledged is lost (\(error.message))"
        default:
            "storage failed, so this replica stops: \(error.message)"
        }
    }
}

extension NodeEvent {
    /// Whether the one who sent it copes with its loss. The others come from this process, a few
    /// at a time.
    fileprivate var mayBeLost: Bool {
        switch self {
        case .requested, .received, .greeted: true
        case .streamOpened, .streamLost, .written, .stateFlushed, .spaceChanged: false
        }
    }
}

extension ReplicaLoop: RequestSink {
    func submit(_ requests: [ClientRequest]) {
        guard !post(.requested(requests)) else { return }
        let sinks = sinks.withLock { $0 }
        for request in requests {
            sinks[Int(request.token.sink)].deliver([
                Answer(token: request.token, content: .failure(.tooManyRequests))
            ])
        }
    }
}
