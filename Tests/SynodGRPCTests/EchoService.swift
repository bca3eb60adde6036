import NIOCore
import SynodGRPC

/// A service whose behaviour a test can read off its path.
final class EchoService: GRPCService {
    static let unary = "/test.Echo/Unary"
    static let silent = "/test.Echo/Silent"
    static let stream = "/test.Echo/Stream"
    static let refuse = "/test.Echo/Refuse"

    let methods = MethodTable([
        .init(path: unary, requests: .single),
        .init(path: silent, requests: .single),
        .init(path: stream, requests: .many),
        .init(path: refuse, requests: .single),
    ])

    /// The calls of the silent method, and the connection they came on.
    var held: [CallID] = []
    var connection: ServerConnection?
    var cancelled: [CallID] = []
    var batches: [Int] = []
    private var batch = 0

    func received(
        _ message: ByteBuffer, of call: CallID, method: MethodIndex,
        on connection: ServerConnection
    ) {
        batch += 1
        self.connection = connection
        switch method.rawValue {
        case 0: connection.reply(call, Array(message.readableBytesView))
        case 1: held.append(call)
        case 2: connection.send(call, Array(message.readableBytesView))
        default:
            connection.finish(call, Status(.invalidArgument, "no 100% good: \u{e9}"))
        }
    }

    func halfClosed(
        _ call: CallID, method: MethodIndex, on connection: ServerConnection
    ) {
        connection.finish(call, .ok)
    }

    func cancelled(
        _ call: CallID, method: MethodIndex, on connection: ServerConnection
    ) {
        cancelled.append(call)
    }

    func readCompleted(on connection: ServerConnection) {
        if batch > 0 { batches.append(batch) }
        batch = 0
    }
}
