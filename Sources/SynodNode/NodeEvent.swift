package import SynodBytes
package import SynodPaxos
package import SynodStorage

/// What happens to a node.
package enum NodeEvent: Sendable {
    case requested([ClientRequest])
    /// Messages from a peer that was accepted, in the order in which they arrived.
    case received([Bytes], from: ReplicaID)
    /// Somebody opened a stream and introduced itself.
    case greeted(ConnectionID, hello: Bytes)
    /// A peer accepted the stream opened to it.
    case streamOpened(ReplicaID, reply: Bytes)
    /// The stream from a peer broke.
    case streamLost(ReplicaID)
    /// The log batches through the ticket are durable.
    case written(through: LogTicket)
    /// The state that was applied through the slot is durable.
    case stateFlushed(through: Slot)
    /// The disk has room again, or has none.
    case spaceChanged(isLow: Bool)
}

/// Names a batch for the log store. Batches become durable in order.
package struct LogTicket: Hashable, Sendable {
    /// Counts all batches.
    let number: UInt64
    /// The last ticket of the consensus core whose writes are in this batch or an earlier one.
    let core: WriteTicket
    /// Once the batch is written, the log holds the chosen entries through here.
    let chosenThrough: Slot
    /// Bytes of all batches so far.
    let bytes: Int

    package static func >= (left: LogTicket, right: LogTicket) -> Bool {
        left.number >= right.number
    }
}

/// Names a stream that a peer has opened.
package struct ConnectionID: Hashable, Sendable {
    package let rawValue: UInt64

    package init(_ rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// What must be done after a step, in the order of the fields.
package struct NodeOutput: Sendable {
    /// To be written to the log store, synced, after all earlier batches; ``NodeEvent/written``
    /// tells when.
    package var logBatch = WriteBatch()
    package var ticket = LogTicket(number: 0, core: .zero, chosenThrough: .zero, bytes: 0)
    /// By destination; in order.
    package var sends: [(peer: ReplicaID, messages: [Bytes])] = []
    package var verdicts: [(connection: ConnectionID, verdict: Verdict)] = []
    package var answers: [Answer] = []
    /// The state store is to be flushed beside all this; ``NodeEvent/stateFlushed`` tells when.
    package var flushThrough: Slot?
    /// A state store is no longer needed: those not in ``Node/statesInUse`` are to be removed once
    /// the batch of this step, if it has one, is durable.
    package var hasStaleStates = false
    /// The node cannot go on; what to tell the operator.
    package var fatal: String?
    package var trace: [TraceEvent] = []
    /// Revisions that nothing was changed at, and never will be: see ``RevisionOrder``.
    package var skipped: [ClosedRange<Int64>] = []
    /// What was handed out for execution, in order, for whoever wants to compare it with what was chosen.
    package var learned: [Learned] = []
    package var wakeAt = Instant.distantFuture

    package init() {}

    mutating func send(_ message: Bytes, to peer: ReplicaID) {
        if let index = sends.firstIndex(where: { $0.peer == peer }) {
            sends[index].messages.append(message)
        } else {
            sends.append((peer, [message]))
        }
    }

    mutating func answer(_ token: RequestToken, _ content: Answer.Content) {
        answers.append(Answer(token: token, content: content))
    }
}

package enum Verdict: Sendable {
    case accept(ReplicaID, reply: Bytes)
    case refuse(String)
}
