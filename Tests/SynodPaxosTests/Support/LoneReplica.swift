import SynodPaxos

/// Replica 1 of three, with the test playing all others and the disk.
struct LoneReplica {
    var replica: Replica
    var outbox = Outbox()
    var now = Instant(nanoseconds: 1_000_000_000)
    static let timing = Timing(heartbeat: .milliseconds(100), election: .milliseconds(1000))

    init(
        count: Int = 3, restored: Replica.Restored = Replica.Restored(), boot: UInt64 = 1,
        proposers: ProposerPolicy = .automatic
    ) {
        replica = Replica(
            id: ReplicaID(1),
            membership: Membership((1...count).map { ReplicaID(UInt64($0)) }),
            timing: Self.timing, restored: restored, boot: boot, seed: 7,
            proposers: proposers, now: now)
    }

    /// One step; what it says is in `outbox` afterwards.
    mutating func step(_ inputs: [Input]) {
        outbox = Outbox()
        replica.step(inputs, at: now, into: &outbox)
    }

    mutating func hear(_ messages: Message..., from peer: UInt64) {
        step(messages.map { .received($0, from: ReplicaID(peer)) })
    }

    /// The disk has written everything.
    mutating func sync() { step([.written(through: outbox.ticket)]) }

    mutating func pass(_ span: Interval) {
        now = now + span
        step([])
    }

    /// What it sends, without the recipients.
    var messages: [Message] { outbox.send.map(\.message) }

    /// Campaigns as soon as it may, with replica 2 promising `promise`, and leads. Returns its
    /// ballot.
    mutating func lead(promising accepted: [SlotAccepted] = [], chosenThrough: Slot = .zero)
        -> Ballot
    {
        while !messages.contains(where: { if case .canvass = $0 { true } else { false } }) {
            pass(.milliseconds(10))
        }
        var ballot = Ballot.zero
        if case .canvass(let round, _)? = messages.first {
            hear(.canvassed(round: round, leader: nil, chosenThrough: .zero), from: 2)
        }
        sync()
        if case .prepare(let prepared, _)? = messages.first { ballot = prepared }
        let promise = Promise(ballot: ballot, chosenThrough: chosenThrough, accepted: accepted)
        hear(.promise(promise), from: 2)
        return ballot
    }
}

extension Ballot {
    init(_ round: UInt64, of replica: UInt64) {
        self.init(round: round, replica: ReplicaID(replica))
    }
}

extension Message {
    static func heartbeat(
        _ ballot: Ballot, chosenThrough: UInt64 = 0, recoveredThrough: UInt64 = 0
    ) -> Message {
        .heartbeat(
            Progress(
                ballot: ballot, chosenThrough: Slot(chosenThrough),
                recoveredThrough: Slot(recoveredThrough)))
    }
}

extension Input {
    /// A client that waits until `deadline` wants to read.
    static func read(
        _ id: UInt64, _ scope: ReadScope, deadline: Instant = .distantFuture
    ) -> Input {
        .readRequested(Read(ReadID(id), scope, deadline: deadline))
    }
}
