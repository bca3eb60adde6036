import Logging
import Synchronization
import SynodBytes
import SynodNode
import SynodPaxos
import SynodRocksDB
import SynodStorage

/// Owns the node and drives it: takes what came in, steps, and does what the step asks for. The
/// only thread that touches the node, so that the node needs no locks.
final class ReplicaThread: Sendable {
    typealias ServerNode = Node<RocksStore, RocksStore>

    /// Events that wait; requests beyond this are refused, peers' messages dropped.
    private static let mailboxCapacity = 65_536

    /// What the thread hands its work to. Set once, before it starts.
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

    private let mailbox = Mailbox<NodeEvent>(capacity: mailboxCapacity)
    private let sinks = Mutex<[any AnswerSink]>([])
    private let ended = Mailbox<Void>(capacity: 1)

    func start(_ node: consuming ServerNode, log: RocksStore, in surroundings: Surroundings) {
        sinks.withLock { $0 = surroundings.answerSinks }
        let onFailure: @Sendable (StorageError) -> Void = { error in
            surroundings.onFailure(Self.describe(error))
        }
        let writer = LogWriter(
            store: log, onWritten: { [self] in post(.written(through: $0)) }, onFailure: onFailure)
        let flusher = StateFlusher(
            onFlushed: { [self] in post(.stateFlushed(through: $0)) }, onFailure: onFailure)
        writer.start()
        flusher.start()
        let driver = Mutex<Driver?>(
            Driver(node: node, surroundings: surroundings, writer: writer, flusher: flusher))
        Platform.startThread("synod-replica") { [self] in
            guard var driver = driver.withLock({ $0.take() }) else { return }
            driver.run(mailbox)
            writer.stop()
            flusher.stop()
            driver.node.stateStore.close()
            ended.close()
        }
    }

    /// Something happened. False when there is no room for it.
    @discardableResult
    func post(_ event: NodeEvent) -> Bool {
        mailbox.put(event)
    }

    /// Ends the thread after what has come in so far, and waits for that: then the stores are
    /// no longer in use and the state store is closed.
    func stop() {
        mailbox.close()
        ended.waitUntilClosed()
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

extension ReplicaThread: RequestSink {
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

/// The loop of the replica thread. Made by one thread, handed to another, and then that one's.
private struct Driver: @unchecked Sendable {
    var node: ReplicaThread.ServerNode
    let surroundings: ReplicaThread.Surroundings
    let writer: LogWriter
    let flusher: StateFlusher
    private var wakeAt = Instant(nanoseconds: 0)
    private var isReady = false
    /// The state stores of other numbers are removed once the record of this one is durable.
    private var stateToKeep: (number: UInt64, ticket: LogTicket)?

    init(
        node: ReplicaThread.ServerNode, surroundings: ReplicaThread.Surroundings,
        writer: LogWriter, flusher: StateFlusher
    ) {
        self.node = node
        self.surroundings = surroundings
        self.writer = writer
        self.flusher = flusher
    }

    mutating func run(_ mailbox: Mailbox<NodeEvent>) {
        var events: [NodeEvent] = []
        do throws(StorageError) {
            while mailbox.take(into: &events, until: wakeAt) {
                let output = try node.step(events, at: Platform.now())
                try carryOut(output, events)
            }
        } catch {
            surroundings.onFailure(ReplicaThread.describe(error))
        }
    }

    private mutating func carryOut(_ output: NodeOutput, _ events: [NodeEvent])
        throws(StorageError)
    {
        wakeAt = output.wakeAt
        if !output.logBatch.isEmpty { writer.write(output.logBatch, output.ticket) }
        for (peer, messages) in output.sends { surroundings.peers.send(messages, to: peer) }
        for (connection, verdict) in output.verdicts {
            surroundings.peers.judge(connection, verdict)
        }
        deliver(output.answers)
        if let through = output.flushThrough { flusher.flush(node.stateStore, through: through) }
        if let number = output.stateInUse { stateToKeep = (number, output.ticket) }
        try removeOldStates(events)
        if let fatal = output.fatal { surroundings.onFailure(fatal) }
        for event in output.trace { tell(event) }
        if !isReady, node.isReady {
            isReady = true
            surroundings.onReady()
        }
    }

    private func deliver(_ answers: [Answer]) {
        guard !answers.isEmpty else { return }
        let sinks = surroundings.answerSinks
        if sinks.count == 1 { return sinks[0].deliver(answers) }
        for (index, sink) in sinks.enumerated() {
            let own = answers.filter { $0.token.sink == UInt32(index) }
            if !own.isEmpty { sink.deliver(own) }
        }
    }

    private mutating func removeOldStates(_ events: [NodeEvent]) throws(StorageError) {
        guard let (number, ticket) = stateToKeep else { return }
        for case .written(let written) in events where written >= ticket {
            try surroundings.directory.removeStates(except: UInt32(number))
            stateToKeep = nil
            return
        }
    }

    private func tell(_ event: TraceEvent) {
        let logger = surroundings.logger
        switch event {
        case .suspected(let connectionLost):
            logger.warning(
                "the leader is suspected",
                metadata: ["because": connectionLost ? "its connection broke" : "it is silent"])
        case .campaigned(let ballot):
            logger.info("asks for promises", metadata: ["ballot": "\(ballot.text)"])
        case .backedOff(let ballot, let span):
            logger.info(
                "waits before it campaigns again",
                metadata: [
                    "ballot": "\(ballot.text)", "ms": "\(span.nanoseconds / 1_000_000)",
                ])
        case .lead(let ballot, let recoveredThrough):
            logger.notice(
                "leads",
                metadata: [
                    "ballot": "\(ballot.text)", "recovered": "\(recoveredThrough.rawValue)",
                ])
        case .steppedDown(let ballot, let reason):
            logger.warning(
                "no longer leads",
                metadata: ["ballot": "\(ballot.text)", "because": "\(reason.text)"])
        case .followed(let ballot):
            logger.notice("follows", metadata: ["ballot": "\(ballot.text)"])
        case .caughtUp(let slot):
            logger.debug("fetches what it missed", metadata: ["slot": "\(slot.rawValue)"])
        }
    }
}

extension Ballot {
    fileprivate var text: String { "\(round).\(String(replica.rawValue, radix: 16))" }
}

extension StepDownReason {
    fileprivate var text: String {
        switch self {
        case .higherBallot(let ballot): "ballot \(ballot.text) was promised"
        case .majorityUnheard: "no majority answers"
        }
    }
}
