import Logging
import NIOCore
import SynodDisk
import SynodNode
import SynodPaxos
import SynodStorage

/// The node and what its steps ask for. A class, so that the node is changed in place; touched by
/// one event loop only, and by whoever ends it when that loop no longer does.
final class Driver: @unchecked Sendable {
    private var node: ReplicaLoop.ServerNode
    private let surroundings: ReplicaLoop.Surroundings
    private let writer: LogWriter
    private let flusher: StateFlusher
    private let eventLoop: any EventLoop
    private let onDeadline: @Sendable () -> Void
    private var events: [NodeEvent] = []
    private var timer: (due: Instant, task: Scheduled<Void>)?
    private var hasFailed = false
    private var isReady = false
    /// Leaders that this replica has followed or been since the start.
    private var leadersSeen: UInt64 = 0
    private var lastTicket: LogTicket?
    private var writtenTicket: LogTicket?
    /// State stores wait to be removed until this batch is durable.
    private var staleSince: StaleSince?

    private struct StaleSince {
        /// Nil when nothing has been written since the start.
        let ticket: LogTicket?
    }

    init(
        node: consuming ReplicaLoop.ServerNode, surroundings: ReplicaLoop.Surroundings,
        writer: LogWriter, flusher: StateFlusher, eventLoop: any EventLoop,
        onDeadline: @escaping @Sendable () -> Void
    ) {
        self.node = node
        self.surroundings = surroundings
        self.writer = writer
        self.flusher = flusher
        self.eventLoop = eventLoop
        self.onDeadline = onDeadline
    }

    /// One step for everything that `fill` puts in.
    func takeTurn(_ fill: (inout [NodeEvent]) -> Void) {
        events.removeAll(keepingCapacity: true)
        fill(&events)
        guard !hasFailed else { return }
        do throws(StorageError) {
            let output = try node.step(events, at: Platform.now())
            carryOut(output)
            if !hasFailed { wake(at: output.wakeAt) }
        } catch {
            fail(ReplicaLoop.describe(error))
        }
    }

    /// The node takes no further step. In particular its peers hear nothing more of it: a leader that
    /// cannot write would be heard and followed, and nobody served.
    func halt() {
        hasFailed = true
        timer?.task.cancel()
    }

    private func fail(_ message: String) {
        halt()
        surroundings.onFailure(message)
    }

    /// How the node is, between two steps.
    var observation: ReplicaLoop.Observation {
        ReplicaLoop.Observation(status: node.status, leadersSeen: leadersSeen)
    }

    /// Stops the threads behind, and closes the state store when they are done.
    func end() {
        timer?.task.cancel()
        writer.stop()
        flusher.stop()
        node.stateStore.close()
    }

    /// A timer that goes off too early costs one empty step; one for every step would cost more.
    private func wake(at due: Instant) {
        let now = Platform.now()
        if let timer {
            guard due < timer.due || timer.due <= now else { return }
            timer.task.cancel()
        }
        guard due < .distantFuture else { return timer = nil }
        let delay = TimeAmount.nanoseconds(Int64(clamping: due.since(now).nanoseconds))
        timer = (due, eventLoop.scheduleTask(in: delay, onDeadline))
    }

    private func carryOut(_ output: NodeOutput) {
        if let fatal = output.fatal { return fail(fatal) }
        if !output.logBatch.isEmpty { writer.write(output.logBatch, output.ticket) }
        for (peer, messages) in output.sends { surroundings.peers.send(messages, to: peer) }
        for (connection, verdict) in output.verdicts {
            surroundings.peers.judge(connection, verdict)
        }
        deliver(output.answers)
        if let through = output.flushThrough { flusher.flush(node.stateStore, through: through) }
        removeStaleStates(output)
        for event in output.trace { tell(event) }
        for revisions in output.skipped {
            surroundings.logger.notice(
                "leaves revisions out, for their slot came to nothing",
                metadata: ["from": "\(revisions.lowerBound)", "through": "\(revisions.upperBound)"])
        }
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

    /// Removes state stores that are out of use, when no record on disk names them any more.
    private func removeStaleStates(_ output: NodeOutput) {
        if output.hasStaleStates {
            staleSince = StaleSince(ticket: output.logBatch.isEmpty ? lastTicket : output.ticket)
        }
        if !output.logBatch.isEmpty { lastTicket = output.ticket }
        for case .written(let ticket) in events { writtenTicket = ticket }
        guard let staleSince else { return }
        if let needed = staleSince.ticket {
            guard let writtenTicket, writtenTicket >= needed else { return }
        }
        self.staleSince = nil
        do throws(StorageError) {
            try surroundings.directory.removeStates(except: node.statesInUse.map { UInt32($0) })
        } catch {
            surroundings.logger.warning(
                "cannot remove a state that is out of use", metadata: ["because": "\(error)"])
        }
    }

    private func tell(_ event: TraceEvent) {
        let logger = surroundings.logger
        switch event {
        case .suspected(let connectionLost):
            logger.warning(
                "the leader is suspected",
                metadata: ["because": connectionLost ? "its connection broke" : "it is silent"])
        case .abandoned(let slot):
            logger.notice(
                "finishes a slot whose proposer does not", metadata: ["slot": "\(slot.rawValue)"])
        case .unserved(let ballot):
            logger.warning(
                "the leader is heard, and what waits here for it makes no headway",
                metadata: ["ballot": "\(ballot.text)"])
        case .campaigned(let ballot):
            logger.info("asks for promises", metadata: ["ballot": "\(ballot.text)"])
        case .backedOff(let ballot, let span):
            logger.info(
                "waits before it campaigns again",
                metadata: [
                    "ballot": "\(ballot.text)", "ms": "\(span.nanoseconds / 1_000_000)",
                ])
        case .lead(let ballot, let recoveredThrough):
            leadersSeen += 1
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
            leadersSeen += 1
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
