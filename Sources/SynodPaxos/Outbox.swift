/// What enters the core, in the past tense: it has happened already.
package enum Input: Sendable {
    /// A peer said something.
    case received(Message, from: ReplicaID)
    /// A client of this replica wants a command replicated; after `deadline` it no longer waits.
    case submitted(Command, deadline: Instant)
    /// A client of this replica wants to read what is current.
    case readRequested(Read)
    /// All writes through the ticket survive a crash.
    case written(through: WriteTicket)
    /// A stream from this peer was opened: what it missed can be sent again.
    case connected(ReplicaID)
    /// The stream from this peer broke: its process may have died.
    case disconnected(ReplicaID)
    /// What was handed out for execution is executed. A leader who is not told stamps nothing.
    case executed(Executed)
    /// A part of another replica's state has arrived here.
    case partReceived
    /// The state of another replica was installed here: everything through the slot is applied.
    case installed(through: Slot)
}

/// Names a read until it may run.
package struct ReadID: Hashable, Sendable {
    package let rawValue: UInt64

    package init(_ rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

/// What must be done after a step, in the order of the fields:
///
/// 1. write `persist` in one batch; it is durable when ``Input/written(through:)`` comes back
///    with `ticket`;
/// 2. send `send`: at once, or, where `afterTicket` is set, when that ticket is durable;
/// 3. execute `learned`, in the order given, but for slots that a state installed since the last
///    step holds;
/// 4. run the reads in `readable` on the state after that: those of ranges on that of the prefix, or
///    as it is right behind their slot where that lies ahead;
/// 5. answer the peers in `fetches` from the log;
/// 6. step again at `wakeAt` at the latest.
package struct Outbox: Sendable {
    package var persist: [LogWrite] = []
    /// Of this step's writes; when there are none, of the last step that had some.
    package var ticket = WriteTicket.zero
    package var send: [Envelope] = []
    package var learned: [Learned] = []
    package var readable: [ReleasedRead] = []
    package var fetches: [Fetch] = []
    package var wakeAt = Instant.distantFuture
    /// What is worth telling people; changes nothing.
    package var trace: [TraceEvent] = []

    package init() {}

    package var isEmpty: Bool {
        persist.isEmpty && send.isEmpty && learned.isEmpty && readable.isEmpty && fetches.isEmpty
            && trace.isEmpty
    }

    package mutating func removeAll() {
        persist.removeAll(keepingCapacity: true)
        send.removeAll(keepingCapacity: true)
        learned.removeAll(keepingCapacity: true)
        readable.removeAll(keepingCapacity: true)
        fetches.removeAll(keepingCapacity: true)
        trace.removeAll(keepingCapacity: true)
        wakeAt = .distantFuture
    }

    package mutating func send(_ message: Message, to destination: Destination) {
        send.append(Envelope(to: destination, message: message, afterTicket: nil))
    }

    /// Holds the message back until everything written so far, this step included, is durable.
    package mutating func sendWhenDurable(_ message: Message, to destination: Destination) {
        #if SYNOD_PLANTED_BUGS
            if PlantedBug.answersBeforeSync.isActive { return send(message, to: destination) }
        #endif
        send.append(Envelope(to: destination, message: message, afterTicket: ticket))
    }
}

/// A change of the durable state of the Paxos roles.
package enum LogWrite: Hashable, Sendable {
    case promised(Ballot)
    /// The acceptor accepted, or the learner fetched, the entry of a slot.
    case accepted(Slot, Accepted)
    /// Everything through the slot came with an installed state: its entries may go.
    case installed(through: Slot)
}

package enum Destination: Hashable, Sendable {
    case replica(ReplicaID)
    /// Every other replica.
    case others
}

package struct Envelope: Hashable, Sendable {
    package let to: Destination
    package let message: Message
    /// What must be durable before the message leaves; nil: nothing.
    package let afterTicket: WriteTicket?
}

/// Commands of an entry that is chosen, to be executed now.
package struct Learned: Hashable, Sendable {
    package let slot: Slot
    package let entry: Entry
    package let part: Part

    package enum Part: Hashable, Sendable {
        /// All of it: everything before the slot is executed, and nothing of the slot.
        case whole
        /// These of its commands, while slots before it are not executed.
        case ahead([Int])
        /// The rest of it: everything before the slot is executed, and some of the slot.
        case rest([Int])
    }

    package init(slot: Slot, entry: Entry, part: Part = .whole) {
        self.slot = slot
        self.entry = entry
        self.part = part
    }

    /// Whether everything through the slot is executed with it.
    package var isInOrder: Bool {
        if case .ahead = part { false } else { true }
    }

    /// Visits the commands that are to be executed, in order.
    package func forEachCommand<Failure: Error>(
        _ body: (EntryCommand) throws(Failure) -> Void
    ) throws(Failure) {
        if case .rest(let commands) = part, commands.isEmpty { return }
        try visit { (command, isDue) throws(Failure) in if isDue { try body(command) } }
    }

    /// Visits all commands of the entry in order, and tells which of them are to be executed.
    package func visit<Failure: Error>(
        _ body: (EntryCommand, _ isDue: Bool) throws(Failure) -> Void
    ) throws(Failure) {
        var due: ArraySlice<Int>
        switch part {
        case .whole:
            return try entry.forEachCommand { (command) throws(Failure) in
                try body(command, true)
            }
        case .ahead(let commands), .rest(let commands): due = commands[...]
        }
        try entry.forEachCommand { (command) throws(Failure) in
            let isDue = due.first == command.index
            if isDue { due.removeFirst() }
            try body(command, isDue)
        }
    }
}

/// A peer's wish for chosen entries from a slot on.
package struct Fetch: Hashable, Sendable {
    package let peer: ReplicaID
    package let from: Slot
}

/// Events for logs, transcripts and pictures.
package enum TraceEvent: Hashable, Sendable {
    /// No leader is heard; `connectionLost` tells a broken stream from silence.
    case suspected(connectionLost: Bool)
    /// The leader proposed a no-op in a slot that it had granted and whose entry did not come.
    case abandoned(Slot)
    /// The leader of this ballot is heard and followed, and nothing comes of it.
    case unserved(Ballot)
    case campaigned(Ballot)
    /// The campaign ended without a majority; the next starts after the back-off.
    case backedOff(Ballot, Interval)
    case lead(Ballot, recoveredThrough: Slot)
    case steppedDown(Ballot, reason: StepDownReason)
    case followed(Ballot)
    /// Fetches entries that it missed.
    case caughtUp(from: Slot)
}

package enum StepDownReason: Hashable, Sendable {
    case higherBallot(Ballot)
    case majorityUnheard
}
