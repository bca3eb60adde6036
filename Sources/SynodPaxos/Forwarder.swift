import DequeModule

/// The origin's side of forwarding: keeps every command of this replica's clients until it is
/// executed here, and sends it to whoever leads, or hands it to this replica's own proposer.
///
/// Within a ballot the commands are one numbered stream, so that the leader can tell a repetition
/// from news. A new leader gets a command only after this replica has executed all that the new
/// leader recovered: what the old one still had can then no longer be chosen, so that nothing is
/// ever chosen twice.
package struct Forwarder: Hashable, Sendable {
    /// Names the numbering of the streams: grows with every start and every installed state.
    private(set) var boot: UInt64
    /// In the order of their sequences, without gaps; the first one is `firstSequence`.
    private var pending: Deque<Pending> = []
    private var firstSequence: UInt64?
    private var pendingBytes = 0
    private var waiting = 0
    /// Since when something waits and nothing was executed; in the distant future if nothing waits.
    private(set) var waitingSince = Instant.distantFuture
    private var stream: Stream?

    private struct Pending: Hashable, Sendable {
        let command: Command
        let deadline: Instant
        /// Its number in the present stream, once it has been sent.
        var position: UInt64?
        /// The batch in which this replica proposes it by itself.
        var batch: UInt64?
        var isDone = false

        var isWaiting: Bool { position == nil && batch == nil && !isDone }
    }

    private struct Stream: Hashable, Sendable {
        let ballot: Ballot
        var nextPosition: UInt64 = 0
        /// Index into `pending` of the first command that was not sent.
        var nextIndex = 0
        /// When to send again what was sent and not executed.
        var repeatAt = Instant.distantFuture
    }

    /// - Parameter boot: grows with every start of this replica.
    package init(boot: UInt64) {
        self.boot = boot << 32
    }

    /// Whether another command fits.
    package var hasRoom: Bool {
        pending.count < Limits.pendingCommands && pendingBytes < Limits.pendingBytes
    }

    /// Whether a stream to the leader of this ballot is open.
    package func isOpen(_ ballot: Ballot) -> Bool { stream?.ballot == ballot }

    package var repeatAt: Instant { stream?.repeatAt ?? .distantFuture }

    package mutating func submitted(_ command: Command, deadline: Instant, _ now: Instant) {
        if let first = firstSequence {
            precondition(
                command.id.sequence == first + UInt64(pending.count),
                "Commands come in the order of their sequences, without gaps.")
        } else {
            firstSequence = command.id.sequence
        }
        pending.append(Pending(command: command, deadline: deadline))
        pendingBytes += command.byteCount
        if waiting == 0 { waitingSince = now }
        waiting += 1
    }

    /// A command of this replica's was executed.
    package mutating func applied(_ sequence: UInt64, _ now: Instant) {
        guard let first = firstSequence, sequence >= first else { return }
        let offset = sequence - first
        guard offset < UInt64(pending.count) else { return }
        waitingSince = now
        finish(Int(offset))
        removeFinished()
    }

    /// Nothing that was handed in before will be sent again: a state from elsewhere was installed,
    /// and nobody can tell which of it that state holds. The numbers begin anew, because the
    /// leader waits in vain for what was lost on the way to it.
    package mutating func abandonAll() {
        boot += 1
        for index in pending.indices { finish(index) }
        removeFinished()
        stream = nil
    }

    /// Starts a stream to the leader of `ballot`, which this replica may do once it has executed
    /// all that the leader recovered. Commands whose clients have given up are not sent again.
    package mutating func open(_ ballot: Ballot, now: Instant) {
        precondition(
            stream.map { $0.ballot < ballot } ?? true, "Streams are opened in rising ballots.")
        for index in pending.indices {
            pending[index].position = nil
            pending[index].batch = nil
            if pending[index].deadline <= now { finish(index) }
        }
        removeFinished()
        stream = Stream(ballot: ballot)
    }

    /// Nobody leads: what is sent goes nowhere until another stream is opened.
    package mutating func expire(_ now: Instant) {
        guard stream == nil else { return }
        for index in pending.indices where pending[index].deadline <= now { finish(index) }
        removeFinished()
    }

    /// Hands what was not sent yet to `take`, one command at a time, until it refuses.
    package mutating func handOver(_ take: (Command) -> Bool) {
        guard var stream else { return }
        while stream.nextIndex < pending.count {
            if pending[stream.nextIndex].isWaiting {
                guard take(pending[stream.nextIndex].command) else { break }
                pending[stream.nextIndex].position = stream.nextPosition
                stream.nextPosition += 1
            }
            stream.nextIndex += 1
        }
        self.stream = stream
    }

    // MARK: Proposing

    /// Commands that were neither sent nor proposed.
    package struct Unsent {
        package fileprivate(set) var count = 0
        package fileprivate(set) var bytes = 0
        /// Of the command that is next.
        package fileprivate(set) var firstBytes = 0
    }

    /// What waits to be sent or proposed, looking no further than fills an entry.
    package var unsent: Unsent {
        var unsent = Unsent()
        var index = stream?.nextIndex ?? pending.count
        while index < pending.count, unsent.bytes < Limits.entryBytes {
            if pending[index].isWaiting {
                if unsent.count == 0 { unsent.firstBytes = pending[index].command.byteCount }
                unsent.count += 1
                unsent.bytes += pending[index].command.byteCount
            }
            index += 1
        }
        return unsent
    }

    /// Takes what was not sent yet, as much as fits an entry of so many bytes, to be proposed here.
    package mutating func take(for number: UInt64, bytes limit: Int) -> [Command] {
        guard var index = stream?.nextIndex else { return [] }
        var (batch, bytes) = ([Command](), 0)
        while index < pending.count, batch.count < Limits.entryCommands {
            defer { index += 1 }
            guard pending[index].isWaiting else { continue }
            bytes += pending[index].command.byteCount
            guard batch.isEmpty || bytes <= limit else { break }
            pending[index].batch = number
            batch.append(pending[index].command)
        }
        while stream!.nextIndex < pending.count, !pending[stream!.nextIndex].isWaiting {
            stream!.nextIndex += 1
        }
        return batch
    }

    /// Nothing has come of the batch, and nothing will.
    package mutating func returned(_ number: UInt64) {
        for index in pending.indices where pending[index].batch == number {
            pending[index].batch = nil
            if stream != nil { stream!.nextIndex = min(stream!.nextIndex, index) }
        }
    }

    /// Sends what was not sent yet to the leader.
    /// - Parameter hop: the peer on the way to the leader, or the leader; nil if no way is known: then
    ///   the leader of the stream, who may be heard of again.
    package mutating func forward(
        _ now: Instant, via hop: ReplicaID?, retransmission: Interval, _ outbox: inout Outbox
    ) {
        guard let ballot = stream?.ballot, let first = stream?.nextPosition else { return }
        var commands: [Command] = []
        handOver { command in
            commands.append(command)
            return true
        }
        guard !commands.isEmpty else { return }
        send(commands, from: first, ballot, via: hop, &outbox)
        if stream!.repeatAt == .distantFuture { stream!.repeatAt = now + retransmission * 2 }
    }

    /// Sends again what was sent and not executed, because it is overdue or a connection is new.
    package mutating func repeatUnexecuted(
        _ now: Instant, via hop: ReplicaID?, retransmission: Interval, _ outbox: inout Outbox
    ) {
        guard let ballot = stream?.ballot else { return }
        var unexecuted = pending.filter { $0.position != nil && !$0.isDone }
        guard !unexecuted.isEmpty else {
            stream!.repeatAt = .distantFuture
            return
        }
        stream!.repeatAt = now + retransmission * 4
        // What was proposed here in vain before it was sent is late in the stream.
        unexecuted.sort { $0.position! < $1.position! }
        // What is executed leaves gaps: keys that wait do not hold up others.
        var first = unexecuted[0].position!
        var run: [Command] = []
        for item in unexecuted {
            if item.position! != first + UInt64(run.count) {
                send(run, from: first, ballot, via: hop, &outbox)
                (first, run) = (item.position!, [])
            }
            run.append(item.command)
        }
        send(run, from: first, ballot, via: hop, &outbox)
    }

    private func send(
        _ commands: [Command], from first: UInt64, _ ballot: Ballot,
        via hop: ReplicaID?, _ outbox: inout Outbox
    ) {
        var rest = commands[...]
        var position = first
        while !rest.isEmpty {
            let burst = rest.burst(\.byteCount)
            outbox.send(
                .forward(
                    ballot: ballot, boot: boot, position: position,
                    commands: Array(burst)),
                to: .replica(hop ?? ballot.replica))
            rest = rest[burst.endIndex...]
            position += UInt64(burst.count)
        }
    }

    private mutating func finish(_ index: Int) {
        guard !pending[index].isDone else { return }
        pending[index].isDone = true
        pendingBytes -= pending[index].command.byteCount
        waiting -= 1
        if waiting == 0 { waitingSince = .distantFuture }
    }

    private mutating func removeFinished() {
        var count = 0
        while count < pending.count, pending[count].isDone { count += 1 }
        guard count > 0 else { return }
        pending.removeFirst(count)
        firstSequence = firstSequence! + UInt64(count)
        if pending.isEmpty { firstSequence = nil }
        if stream != nil { stream!.nextIndex = max(0, stream!.nextIndex - count) }
        if waiting == 0, stream != nil { stream!.repeatAt = .distantFuture }
    }
}
