package import SynodBytes
package import SynodKeyspace
package import SynodPaxos

/// Names a request until it is answered: which sink waits for the answer, and which call there.
package struct RequestToken: Hashable, Sendable {
    /// Index of the ``AnswerSink`` given to the server at start (one for each event loop).
    package let sink: UInt32
    /// Unique among the requests in flight of that sink; its meaning is the sink's own.
    package let call: UInt64

    package init(sink: UInt32, call: UInt64) {
        self.sink = sink
        self.call = call
    }
}

/// What a client asks of this replica, already checked and encoded by the door it came through.
package struct ClientRequest: Sendable {
    package enum Body: Sendable {
        /// To be replicated: a command as the keyspace encodes it, the keys it touches, whether it
        /// always changes something, and the bytes it counts against the space quota (0: allowed
        /// when the space is used up).
        case write(command: Bytes, footprint: Footprint, isCertain: Bool, spaceCost: UInt64)
        /// A RangeRequest in protobuf, and the keys it asks for; nil: serializable, so that no other
        /// replica is asked.
        case range(request: Bytes, ReadScope?)
        /// A TxnRequest in protobuf all of whose operations are ranges.
        case readTransaction(request: Bytes, ReadScope?)
        /// Answered with ``Answer/Content/status(_:)``.
        case status
        /// Answered once a majority was asked, with ``Answer/Content/members(_:_:)``: for
        /// `MemberList(linearizable)`.
        case members(ReadScope?)
        /// An AlarmRequest with action GET.
        case alarms
        /// A checksum of everything stored.
        case hash
        /// A HashKVRequest's revision; 0 for the current one.
        case hashKV(revision: Int64)

        /// Of a read: what waits with it.
        var readBytes: Int {
            switch self {
            case .range(let request, _), .readTransaction(let request, _): request.count
            default: 0
            }
        }
    }

    package let token: RequestToken
    package let body: Body

    package init(token: RequestToken, body: Body) {
        self.token = token
        self.body = body
    }
}

/// The answer to the request of the same token. Every request gets exactly one.
package struct Answer: Sendable {
    package enum Content: Sendable {
        /// The encoded protobuf response.
        case message(Bytes)
        case status(ReplicaStatus)
        /// What is known of every member, this replica included.
        case members(ReplicaStatus, [MemberProfile])
        case failure(RequestFailure)
    }

    package let token: RequestToken
    package let content: Content

    package init(token: RequestToken, content: Content) {
        self.token = token
        self.content = content
    }
}

/// What a member says of itself to its peers, beside what every member is configured with.
package struct MemberProfile: Hashable, Sendable {
    package let member: UInt64
    /// Where it wants its clients to reach it.
    package let clientURLs: [String]

    package init(member: UInt64, clientURLs: [String]) {
        self.member = member
        self.clientURLs = clientURLs
    }
}

/// A gRPC status: its code number and etcd's exact message.
package struct RequestFailure: Error, Hashable, Sendable {
    package let code: UInt8
    package let message: String

    package init(code: UInt8, message: String) {
        self.code = code
        self.message = message
    }
}

/// What `Maintenance.Status` tells of one replica.
package struct ReplicaStatus: Sendable {
    package var revision: Int64 = 0
    package var round: UInt64 = 0
    /// Zero when no leader is known.
    package var leader: UInt64 = 0
    package var chosenThrough: UInt64 = 0
    package var appliedThrough: UInt64 = 0
    package var storedBytes: UInt64 = 0
    package var usedBytes: UInt64 = 0
    /// Zero when there is no quota.
    package var quotaBytes: UInt64 = 0
    /// -1 before any compaction.
    package var compactRevision: Int64 = -1
    /// Keys that are not deleted.
    package var keyCount = 0
    /// Writes of clients of this replica that have not been executed here.
    package var waitingWrites = 0
    /// In force in the whole cluster, sorted.
    package var alarms: [Alarm] = []
    /// Whether the state is lost and no other has come yet.
    package var lacksState = false
    package var proposers = ProposerCounters()

    package init() {}

    /// What is wrong, in etcd's words where it has some.
    package var errors: [String] {
        (leader == 0 ? ["etcdserver: no leader"] : [])
            + (lacksState ? [RequestFailure.stateMissing.message] : [])
            + alarms.map(\.description)
    }
}

/// Where the doors hand in requests; safe to call from any thread.
package protocol RequestSink: AnyObject, Sendable {
    /// Takes a batch at the cost of one lock and at most one wake-up. A request over the inbox's
    /// bound is answered with ResourceExhausted.
    func submit(_ requests: [ClientRequest])
}

/// Where answers come out, in batches; called on the replica's event loop.
package protocol AnswerSink: AnyObject, Sendable {
    func deliver(_ answers: [Answer])
}
