import SynodBytes
import SynodKeyspace
import SynodNode
import SynodPaxos
import SynodStorage

/// Nodes on stores in memory, joined by a network that delivers in order, in virtual time.
final class NodeCluster {
    typealias TestNode = Node<MemoryStore, MemoryStore>

    /// One machine: its disk outlives its node.
    struct Host {
        var node: TestNode?
        var log = MemoryStore()
        var states: [UInt64: MemoryStore] = [:]
        var incarnation: UInt64
        var wakeAt = Instant(nanoseconds: 0)
        /// Handed to the disk thread, which has not come to it.
        var unwritten: [(due: Instant, batch: WriteBatch, ticket: LogTicket)] = []
    }

    /// How long the disk takes: long enough for messages to overtake it.
    private static let diskDelay = Interval.milliseconds(2)

    let membership: Membership
    private(set) var hosts: [ReplicaID: Host] = [:]
    private(set) var now = Instant(nanoseconds: 1)
    private(set) var answers: [UInt64: Answer.Content] = [:]
    private(set) var fatal: [ReplicaID: String] = [:]
    private(set) var refusals: [String] = []
    /// Directed links over which nothing goes.
    var cut: Set<[ReplicaID]> = []
    private var queue: [(to: ReplicaID, event: NodeEvent)] = []
    private var greetings: [UInt64: (from: ReplicaID, to: ReplicaID)] = [:]
    private var nextConnection: UInt64 = 1
    private var nextCall: UInt64 = 1
    private var sessions: UInt64 = 1
    private let snapshotCount: UInt64
    private let chunkBytes: Int
    private let proposers: ProposerPolicy
    /// Told of all that nodes send.
    var overhear: (_ messages: [Bytes], _ from: ReplicaID, _ to: ReplicaID) -> Void = { _, _, _ in }

    init(
        _ count: Int, snapshotCount: UInt64 = 1000, chunkBytes: Int = NodeLimits.chunkBytes,
        proposers: ProposerPolicy = .automatic
    ) throws {
        self.proposers = proposers
        self.chunkBytes = chunkBytes
        membership = Membership((1...count).map { ReplicaID(UInt64($0)) })
        self.snapshotCount = snapshotCount
        for replica in membership.replicas {
            hosts[replica] = Host(incarnation: replica.rawValue * 1000)
        }
        for replica in membership.replicas { try start(replica) }
    }

    static func id(_ number: UInt64) -> ReplicaID { ReplicaID(number) }

    // MARK: Faults

    func start(_ replica: ReplicaID) throws {
        var host = hosts[replica]!
        sessions += 1
        let number = try LogSchema.currentState(in: host.log)
        let state = host.states[number] ?? MemoryStore()
        host.states[number] = state
        host.node = try Node(
            NodeConfiguration(
                identity: replica, cluster: 7, membership: membership,
                timing: Timing(heartbeat: .milliseconds(100), election: .milliseconds(1000)),
                clientURLs: ["http://client-\(replica.rawValue)"], incarnation: host.incarnation,
                session: sessions, snapshotCount: snapshotCount,
                quotaBytes: nil, chunkBytes: chunkBytes, proposers: proposers),
            log: host.log, state: state, seed: replica.rawValue + sessions, now: now,
            makeState: { [unowned self] () throws(StorageError) in
                let store = MemoryStore()
                let next = (hosts[replica]!.states.keys.max() ?? 0) + 1
                hosts[replica]!.states[next] = store
                return (next, store)
            })
        host.wakeAt = now
        hosts[replica] = host
        for peer in membership.replicas where peer != replica {
            greet(from: replica, to: peer)
            greet(from: peer, to: replica)
        }
    }

    /// A message that no replica of the cluster has sent.
    func deliver(_ message: Message, from sender: ReplicaID, to receiver: ReplicaID) throws {
        try deliver(message.encoded, from: sender, to: receiver)
    }

    func deliver(_ encoded: Bytes, from sender: ReplicaID, to receiver: ReplicaID) throws {
        try step(receiver, [.received([encoded], from: sender)])
    }

    /// The process dies; what was not synced is lost.
    func crash(_ replica: ReplicaID) {
        hosts[replica]!.node = nil
        hosts[replica]!.unwritten = []
        hosts[replica]!.log = hosts[replica]!.log.crashImage(keepingUnsynced: 0)
        for (number, state) in hosts[replica]!.states {
            hosts[replica]!.states[number] = state.crashImage(keepingUnsynced: 0)
        }
        queue.removeAll { $0.to == replica }
        for peer in membership.replicas where peer != replica {
            queue.append((peer, .streamLost(replica)))
        }
    }

    func wipe(_ replica: ReplicaID) {
        hosts[replica]!.log = MemoryStore()
        hosts[replica]!.states = [:]
        hosts[replica]!.incarnation += 1
    }

    /// The state store is gone, and the log is not.
    func loseState(of replica: ReplicaID) {
        hosts[replica]!.states = [:]
    }

    func copyDisk(of replica: ReplicaID) -> Host {
        var copy = hosts[replica]!
        copy.node = nil
        copy.unwritten = []
        copy.log = copy.log.crashImage(keepingUnsynced: 0)
        copy.states = copy.states.mapValues { $0.crashImage(keepingUnsynced: 0) }
        return copy
    }

    func restoreDisk(of replica: ReplicaID, from copy: Host) {
        hosts[replica] = copy
    }

    private func greet(from: ReplicaID, to: ReplicaID) {
        guard let node = hosts[from]!.node, hosts[to]!.node != nil else { return }
        greetings[nextConnection] = (from, to)
        queue.append((to, .greeted(ConnectionID(nextConnection), hello: node.hello(to: to))))
        nextConnection += 1
    }

    // MARK: Time

    func run(_ span: Interval) throws {
        let end = now + span
        while now <= end {
            try drain()
            try writeDue()
            try drain()
            let alive = hosts.values.filter { $0.node != nil }
            let dues = alive.compactMap(\.unwritten.first?.due)
            let next = (alive.map(\.wakeAt) + dues).min() ?? end
            now = max(Instant(nanoseconds: now.nanoseconds + 100_000), min(next, end))
            if next > end { break }
            for replica in membership.replicas where hosts[replica]!.wakeAt <= now {
                try step(replica, [])
            }
        }
        now = max(now, end)
    }

    private func writeDue() throws {
        for replica in membership.replicas {
            while let first = hosts[replica]!.unwritten.first, first.due <= now {
                hosts[replica]!.unwritten.removeFirst()
                try hosts[replica]!.log.write(first.batch, durability: .synced)
                queue.append((replica, .written(through: first.ticket)))
            }
        }
    }

    private func drain() throws {
        while !queue.isEmpty {
            let (to, event) = queue.removeFirst()
            try step(to, [event])
        }
    }

    func step(_ replica: ReplicaID, _ events: [NodeEvent]) throws {
        // Taken out of its host, because a step may make a store there.
        guard var node = hosts[replica]!.node else { return }
        let output = try node.step(events, at: now)
        hosts[replica]!.node = node
        hosts[replica]!.wakeAt = output.wakeAt
        if !output.logBatch.isEmpty {
            hosts[replica]!.unwritten.append(
                (now + Self.diskDelay, output.logBatch, output.ticket))
        }
        for (peer, messages) in output.sends { overhear(messages, replica, peer) }
        for (peer, messages) in output.sends where !cut.contains([replica, peer]) {
            queue.append((peer, .received(messages, from: replica)))
        }
        for (connection, verdict) in output.verdicts {
            guard let (from, to) = greetings.removeValue(forKey: connection.rawValue) else {
                continue
            }
            switch verdict {
            case .accept(_, let reply): queue.append((from, .streamOpened(to, reply: reply)))
            case .refuse(let reason):
                refusals.append(reason)
                hosts[from]!.node = nil
            }
        }
        for answer in output.answers {
            precondition(
                answers.updateValue(answer.content, forKey: answer.token.call) == nil,
                "A request is answered once.")
        }
        if let through = output.flushThrough {
            try hosts[replica]!.node!.stateStore.flush()
            queue.append((replica, .stateFlushed(through: through)))
        }
        if let message = output.fatal {
            fatal[replica] = message
            hosts[replica]!.node = nil
        }
    }

    // MARK: Clients

    func put(_ key: String, _ value: String, at replica: ReplicaID) throws -> UInt64 {
        var message = ByteWriter()
        message.write(UInt8(0x0a))
        message.writePrefixed(key.utf8)
        message.write(UInt8(0x12))
        message.writePrefixed(value.utf8)
        let command = SynodKeyspace.Command.encode(.put, message.bytes)
        let place = Footprint.Piece(
            offset: UInt32(command.count - value.utf8.count - 2 - key.utf8.count),
            count: UInt32(key.utf8.count))
        return try submit(
            .write(command: command, footprint: .key(place), isCertain: true, spaceCost: 256),
            at: replica)
    }

    func get(_ key: String, at replica: ReplicaID, linearizable: Bool = true) throws -> UInt64 {
        var message = ByteWriter()
        message.write(UInt8(0x0a))
        message.writePrefixed(key.utf8)
        let scope = linearizable ? ReadScope.key(Bytes(key.utf8)[...]) : nil
        return try submit(.range(request: message.bytes, scope), at: replica)
    }

    /// Reads the keys from `lower` up to `upper`.
    func list(_ lower: String, _ upper: String, at replica: ReplicaID) throws -> UInt64 {
        var message = ByteWriter()
        message.write(UInt8(0x0a))
        message.writePrefixed(lower.utf8)
        message.write(UInt8(0x12))
        message.writePrefixed(upper.utf8)
        let span = KeySpan(Bytes(lower.utf8)[...], .below(Bytes(upper.utf8)[...]))
        return try submit(.range(request: message.bytes, .range(span)), at: replica)
    }

    func submit(_ body: ClientRequest.Body, at replica: ReplicaID) throws -> UInt64 {
        defer { nextCall += 1 }
        let token = RequestToken(sink: 0, call: nextCall)
        try step(replica, [.requested([ClientRequest(token: token, body: body)])])
        return nextCall
    }

    /// Whether the answer to a get holds this value.
    func answer(_ call: UInt64, contains value: String) -> Bool {
        guard case .message(let bytes)? = answers[call] else { return false }
        let needle = Array(value.utf8)
        return bytes.indices.contains { bytes[$0...].starts(with: needle) }
    }

    func isAcknowledged(_ call: UInt64) -> Bool {
        if case .message? = answers[call] { true } else { false }
    }

    func status(of replica: ReplicaID) throws -> ReplicaStatus {
        let call = try submit(.status, at: replica)
        guard case .status(let status)? = answers[call] else {
            preconditionFailure("A status is answered at once.")
        }
        return status
    }
}
