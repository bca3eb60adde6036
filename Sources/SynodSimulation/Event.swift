import SynodBytes
import SynodNode
import SynodPaxos
import SynodStorage

/// Something that will happen in the simulated world.
enum Event {
    /// A replica deals with what has come in.
    case turn(host: Int, life: Int)
    /// A replica's timer goes off.
    case timer(host: Int, life: Int, number: Int)
    case logWritten(host: Int, life: Int)
    case stateFlushed(host: Int, life: Int, store: MemoryStore, through: Slot)
    case start(host: Int, life: Int)
    case resume(host: Int, life: Int)
    case packet(Packet)
    case stream(StreamEvent)
    case client(Int, ClientEvent)
    /// A fault's next act is due.
    case fault(FaultID)
    /// What an act began comes to its end.
    case end(FaultEnd)
    /// The state of all replicas is compared.
    case compare
}

/// Messages of one stream between replicas.
struct Packet {
    let from: Int
    let to: Int
    let connection: UInt64
    let messages: [Bytes]
    /// A copy of a packet that has arrived already.
    var isReplay = false
}

/// What happens to the streams that carry messages.
enum StreamEvent {
    case dial(from: Int, to: Int, life: Int)
    case hello(from: Int, to: Int, connection: UInt64, Bytes)
    case accepted(from: Int, to: Int, connection: UInt64, reply: Bytes)
    case refused(from: Int, to: Int, connection: UInt64, reason: String)
    /// The dialling side gives up on an attempt that has not been answered.
    case dialTimeout(from: Int, to: Int, connection: UInt64)
    /// The dialling side finds that the connection is gone.
    case lostOutbound(from: Int, to: Int, connection: UInt64)
    /// The accepting side finds that the connection is gone.
    case lostInbound(from: Int, to: Int, connection: UInt64)
}

/// What happens to a client.
enum ClientEvent {
    /// It thinks of its next request.
    case act
    /// The request reaches the replica.
    case arrive(call: UInt64, host: Int)
    /// An answer, or that the connection broke, reaches the client.
    case answer(call: UInt64, Reply)
    case giveUp(call: UInt64)
}

/// What a client hears of its request.
enum Reply {
    case content(Answer.Content)
    /// The connection broke with the request under way.
    case broken
    /// No connection was made: the request went nowhere.
    case unreachable
}
