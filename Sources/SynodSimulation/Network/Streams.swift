import SynodBytes
import SynodNode
import SynodPaxos

/// The streams between replicas, one from each to each, as the transport keeps them: the sender
/// dials, introduces itself, and may talk once it is accepted.
struct Streams {
    enum Sending: Equatable {
        /// Waits before it dials again.
        case idle
        case dialling(UInt64)
        case open(UInt64)
    }

    static let shortestBackOff = Interval.milliseconds(10)
    static let longestBackOff = Interval.seconds(1)
    static let connectTimeout = Interval.seconds(2)
    static let handshakeTimeout = Interval.seconds(4)
    /// Unacknowledged bytes older than this break a connection.
    static let unacknowledged = Interval.seconds(10)

    private let count: Int
    private var sending: [Sending]
    private var backOffs: [Interval]
    /// The connection on which `to` hears `from`; nil: none.
    private var hearing: [UInt64?]
    /// Connections that have not been judged.
    var waiting: [UInt64: (from: Int, to: Int, hello: Bytes)] = [:]
    /// Since when nothing sent has got through.
    private var stalledSince: [Instant?]
    private var nextConnection: UInt64 = 1

    init(count: Int) {
        self.count = count
        sending = Array(repeating: .idle, count: count * count)
        backOffs = Array(repeating: Self.shortestBackOff, count: count * count)
        hearing = Array(repeating: nil, count: count * count)
        stalledSince = Array(repeating: nil, count: count * count)
    }

    func sending(_ from: Int, _ to: Int) -> Sending { sending[from * count + to] }

    func hearing(_ from: Int, _ to: Int) -> UInt64? { hearing[from * count + to] }

    mutating func begin(_ from: Int, _ to: Int) -> UInt64 {
        let connection = nextConnection
        nextConnection += 1
        sending[from * count + to] = .dialling(connection)
        return connection
    }

    mutating func open(_ from: Int, _ to: Int, _ connection: UInt64) {
        sending[from * count + to] = .open(connection)
        stalledSince[from * count + to] = nil
        backOffs[from * count + to] = Self.shortestBackOff
    }

    /// How long to wait before dialling again.
    mutating func close(_ from: Int, _ to: Int, isRefused: Bool = false) -> Interval {
        let place = from * count + to
        sending[place] = .idle
        stalledSince[place] = nil
        let wait = isRefused ? Self.longestBackOff : backOffs[place]
        backOffs[place] = min(wait * 2, Self.longestBackOff)
        return wait
    }

    mutating func hear(_ from: Int, _ to: Int, on connection: UInt64?) {
        hearing[from * count + to] = connection
    }

    /// Notes whether what was sent got through; true when it has not for too long.
    mutating func isBroken(_ from: Int, _ to: Int, passes: Bool, at now: Instant) -> Bool {
        let place = from * count + to
        guard !passes else {
            stalledSince[place] = nil
            return false
        }
        guard let since = stalledSince[place] else {
            stalledSince[place] = now
            return false
        }
        return now.since(since) > Self.unacknowledged
    }
}
