package import SynodBytes
package import SynodPaxos
import SynodStorage

/// Who a replica is: told at the start of every stream and remembered by those who hear it.
package struct Identity: Hashable, Sendable {
    package let cluster: UInt64
    package let replica: ReplicaID
    /// Random, made with the data directory: another one means another, emptier disk.
    package let incarnation: UInt64
    /// Grows with every start.
    package let boot: UInt64
    /// Random, drawn at every start: tells two starts with one boot counter apart.
    package let session: UInt64

    package init(
        cluster: UInt64, replica: ReplicaID, incarnation: UInt64, boot: UInt64, session: UInt64
    ) {
        self.cluster = cluster
        self.replica = replica
        self.incarnation = incarnation
        self.boot = boot
        self.session = session
    }

    func write(into writer: inout ByteWriter) {
        writer.write(cluster)
        writer.write(replica.rawValue)
        writer.write(incarnation)
        writer.write(boot)
        writer.write(session)
    }

    package init(reading reader: inout ByteReader) throws(MalformedBytes) {
        self.init(
            cluster: try reader.read(), replica: ReplicaID(try reader.read()),
            incarnation: try reader.read(), boot: try reader.read(), session: try reader.read())
    }
}

/// The most that a replica is known to have acknowledged: its disk must still hold that.
struct Witness: Hashable, Sendable {
    var promised = Ballot.zero
    var accepted = Slot.zero

    init() {}

    var encoded: Bytes {
        var writer = ByteWriter(capacity: 48)
        writer.write(promised)
        writer.write(accepted)
        return writer.bytes
    }

    init(encoded: Bytes) throws(MalformedBytes) {
        var reader = ByteReader(encoded)
        promised = try reader.readBallot()
        accepted = try reader.readSlot()
    }
}

/// The last starts of a replica, oldest first, kept on its disk: a disk that was put back to an
/// older state and started from there has other sessions than its peers remember.
struct BootHistory: Hashable, Sendable {
    struct Start: Hashable, Sendable {
        let boot: UInt64
        let session: UInt64
    }

    /// Enough for years of ordinary restarts; few enough for a greeting.
    static let limit = 256

    private(set) var starts: [Start] = []

    mutating func append(boot: UInt64, session: UInt64) {
        starts.append(Start(boot: boot, session: session))
        if starts.count > Self.limit { starts.removeFirst() }
    }

    /// Whether it tells of another start with the number that this one had.
    func contradicts(_ known: Identity) -> Bool {
        starts.contains { $0.boot == known.boot && $0.session != known.session }
    }

    func write(into writer: inout ByteWriter) {
        writer.writeVarint(UInt64(starts.count))
        for start in starts {
            writer.write(start.boot)
            writer.write(start.session)
        }
    }

    init() {}

    init(reading reader: inout ByteReader) throws(MalformedBytes) {
        let count = try reader.readCount()
        guard count <= Self.limit else { throw MalformedBytes("too many starts") }
        for _ in 0..<count {
            starts.append(Start(boot: try reader.read(), session: try reader.read()))
        }
    }
}

/// What a replica says first: who it is, whom it takes the other for, and where its clients are
/// to go. Remembered in the same form.
private struct Greeting: Hashable, Sendable {
    let identity: Identity
    let addressee: ReplicaID
    let history: BootHistory
    let clientURLs: [String]

    private static let urlLimit = 64

    var encoded: Bytes {
        var writer = ByteWriter(capacity: 128)
        identity.write(into: &writer)
        writer.write(addressee.rawValue)
        history.write(into: &writer)
        writer.writeVarint(UInt64(clientURLs.count))
        for url in clientURLs { writer.writePrefixed(url.utf8) }
        return writer.bytes
    }

    init(
        identity: Identity, addressee: ReplicaID, history: BootHistory, clientURLs: [String]
    ) {
        self.identity = identity
        self.addressee = addressee
        self.history = history
        self.clientURLs = Array(clientURLs.prefix(Self.urlLimit))
    }

    init(encoded: Bytes) throws(MalformedBytes) {
        var reader = ByteReader(encoded)
        identity = try Identity(reading: &reader)
        addressee = ReplicaID(try reader.read())
        history = try BootHistory(reading: &reader)
        let count = try reader.readCount()
        guard count <= Self.urlLimit else { throw MalformedBytes("too many client URLs") }
        var urls: [String] = []
        for _ in 0..<count {
            urls.append(String(decoding: try reader.readPrefixed(), as: UTF8.self))
        }
        clientURLs = urls
        guard reader.isAtEnd else { throw MalformedBytes("bytes behind the end") }
    }
}

/// Recognizes the peers, so that a replica which lost, rolled back or swapped its disk never
/// votes under its old identity: it may have forgotten promises that others rely on.
struct PeerRoster: Sendable {
    private let own: Identity
    private let history: BootHistory
    private let clientURLs: [String]
    private let membership: Membership
    /// By replica index.
    private var known: [Greeting?]
    private var witnesses: [Witness]
    /// Those that the log store does not hold yet, by replica index.
    private var unwritten = ReplicaSet()
    /// Since when there are such; nil: there are none.
    private(set) var unwrittenSince: Instant?

    init(
        own: Identity, history: BootHistory, clientURLs: [String], membership: Membership,
        store: some Store
    ) throws(StorageError) {
        self.own = own
        self.history = history
        self.clientURLs = clientURLs
        self.membership = membership
        known = Array(repeating: nil, count: membership.count)
        witnesses = Array(repeating: Witness(), count: membership.count)
        for (index, replica) in membership.replicas.enumerated() {
            let greeting = try store.get(LogSchema.identityKey(replica))
            let witness = try store.get(LogSchema.witnessKey(replica))
            do throws(MalformedBytes) {
                if let greeting { known[index] = try Greeting(encoded: greeting) }
                if let witness { witnesses[index] = try Witness(encoded: witness) }
            } catch {
                throw StorageError(
                    .corrupt, "what is known of a peer is damaged: \(error.reason)")
            }
        }
    }

    /// What this replica says first on a stream to a peer.
    func hello(to peer: ReplicaID) -> Bytes {
        Greeting(
            identity: own, addressee: peer, history: history, clientURLs: clientURLs
        ).encoded
    }

    /// What is known of the members, from themselves.
    var profiles: [MemberProfile] {
        membership.replicas.enumerated().map { index, replica in
            let urls = replica == own.replica ? clientURLs : known[index]?.clientURLs ?? []
            return MemberProfile(member: replica.rawValue, clientURLs: urls)
        }
    }

    enum OnHello {
        /// As known: messages may flow.
        case known(ReplicaID)
        /// New, or restarted: to be remembered durably first.
        case remember(ReplicaID, key: Bytes, value: Bytes)
        case refused(String)
    }

    /// A replica introduces itself.
    mutating func received(_ hello: Bytes) -> OnHello {
        guard let greeting = try? Greeting(encoded: hello) else {
            return .refused("the greeting is malformed")
        }
        let peer = greeting.identity
        guard peer.cluster == own.cluster else {
            return .refused(
                "cluster ID mismatch: this is cluster \(hex(own.cluster)), not "
                    + "\(hex(peer.cluster)); check --initial-cluster and --initial-cluster-token")
        }
        guard greeting.addressee == own.replica else {
            return .refused(
                "this is member \(hex(own.replica.rawValue)), "
                    + "not \(hex(greeting.addressee.rawValue)); "
                    + "check the peer URLs in --initial-cluster")
        }
        guard let index = membership.index(of: peer.replica), peer.replica != own.replica else {
            return .refused("member \(hex(peer.replica.rawValue)) is not part of this cluster")
        }
        if let before = known[index] {
            if before == greeting { return .known(peer.replica) }
            if let reason = reasonToRefuse(greeting, knownAs: before.identity) {
                return .refused(reason)
            }
        }
        known[index] = greeting
        return .remember(peer.replica, key: LogSchema.identityKey(peer.replica), value: hello)
    }

    private func reasonToRefuse(_ greeting: Greeting, knownAs before: Identity) -> String? {
        let peer = greeting.identity
        let name = "member \(hex(peer.replica.rawValue))"
        let remedy =
            "it may have forgotten what it promised and must not vote as before: stop it, remove "
            + "the member, and add it again as a new one with an empty data directory"
        #if SYNOD_PLANTED_BUGS
            let isSameDisk = peer.incarnation == before.incarnation
            if PlantedBug.trustsOtherDisks.isActive, !isSameDisk { return nil }
            if PlantedBug.trustsOlderDisks.isActive, isSameDisk { return nil }
        #endif
        if peer.incarnation != before.incarnation {
            return "\(name) comes with another data directory than before "
                + "(incarnation \(hex(peer.incarnation)), known \(hex(before.incarnation))); "
                + remedy
        }
        if peer.boot < before.boot || greeting.history.contradicts(before) {
            return "\(name) comes with an older copy of its data directory "
                + "(start \(peer.boot), known \(before.boot)); " + remedy
        }
        return nil
    }

    /// The answer to an accepted greeting: what the peer has acknowledged to this replica.
    func reply(to peer: ReplicaID) -> Bytes {
        (membership.index(of: peer).map { witnesses[$0] } ?? Witness()).encoded
    }

    /// Why this replica's disk cannot be what it was, according to a peer's answer; nil if all
    /// is well.
    func contradiction(
        in reply: Bytes, from peer: ReplicaID, promised: Ballot, highestSlot: Slot
    ) -> String? {
        guard let witness = try? Witness(encoded: reply) else { return nil }
        let (ballot, slot) = (witness.promised, witness.accepted)
        guard ballot > promised || slot > highestSlot else { return nil }
        return "member \(hex(peer.rawValue)) has this replica's word up to ballot \(ballot.round) "
            + "and slot \(slot.rawValue), but the data directory ends at ballot \(promised.round) "
            + "and slot \(highestSlot.rawValue): it is an older copy and must not vote; stop this "
            + "member, remove it, and add it again as a new one with an empty data directory"
    }

    /// A peer gave its word. It is written down with the next batch of the log, or soon.
    mutating func witnessed(_ message: Message, by replica: ReplicaID, at now: Instant) {
        guard let index = membership.index(of: replica) else { return }
        let before = witnesses[index]
        defer {
            if witnesses[index] != before {
                unwritten.insert(index)
                if unwrittenSince == nil { unwrittenSince = now }
            }
        }
        switch message {
        case .promise(let promise):
            witnesses[index].promised = max(witnesses[index].promised, promise.ballot)
        case .accepted(let ballot, _, let last):
            witnesses[index].promised = max(witnesses[index].promised, ballot.general)
            witnesses[index].accepted = max(witnesses[index].accepted, last)
        default: break
        }
    }

    /// Adds to a batch what peers have acknowledged since the last one.
    mutating func writeWitnesses(to batch: inout WriteBatch) {
        guard unwrittenSince != nil else { return }
        for (index, replica) in membership.replicas.enumerated() where unwritten.contains(index) {
            batch.put(LogSchema.witnessKey(replica), witnesses[index].encoded)
        }
        unwritten = ReplicaSet()
        unwrittenSince = nil
    }

    private func hex(_ number: UInt64) -> String { String(number, radix: 16) }
}
