import NIOCore
import NIOEmbedded
import NIOHPACK
import NIOHTTP2
import SynodGRPC

/// A server's connection and a client that speaks HTTP/2 frames, joined without a socket.
final class ServerHarness {
    /// All that came back on one stream.
    struct Answer {
        var headers: HPACKHeaders?
        var trailers: HPACKHeaders?
        var data: [UInt8] = []
        var hasEnded = false
        var reset: HTTP2ErrorCode?

        /// The messages of `data`; nil when it does not end with one.
        var messages: [[UInt8]]? {
            var assembler = MessageAssembler()
            assembler.append(ByteBuffer(bytes: data))
            var messages: [[UInt8]] = []
            while case .message(let message) = assembler.next(limit: .max) {
                messages.append(Array(message.readableBytesView))
            }
            return assembler.heldBytes == 0 ? messages : nil
        }

        var status: String? { (trailers ?? headers)?.first(name: "grpc-status") }
        var message: String? { (trailers ?? headers)?.first(name: "grpc-message") }
    }

    let service = EchoService()
    let server = EmbeddedChannel()
    let client: EmbeddedChannel
    var answers: [HTTP2StreamID: Answer] = [:]
    var goAway: HTTP2ErrorCode?

    init(limits: GRPCLimits = GRPCLimits(), clientSettings: HTTP2Settings = nioDefaultSettings)
        throws
    {
        client = EmbeddedChannel(
            handler: NIOHTTP2Handler(
                mode: .client, initialSettings: clientSettings, headerBlockValidation: .disabled))
        try ServerConnection.configure(server, service: service, limits: limits)
        let address = try SocketAddress(ipAddress: "127.0.0.1", port: 1)
        server.connect(to: address, promise: nil)
        client.connect(to: address, promise: nil)
        try pump()
    }

    func headers(
        path: String, adding extra: [(String, String)] = [], method: String = "POST",
        contentType: String = "application/grpc"
    ) -> HPACKHeaders {
        HPACKHeaders(
            [
                (":method", method), (":scheme", "http"), (":path", path),
                (":authority", "#initially=[127.0.0.1:2379]"), ("content-type", contentType),
                ("te", "trailers"),
            ] + extra)
    }

    func send(_ payload: HTTP2Frame.FramePayload, on streamID: HTTP2StreamID) {
        client.writeAndFlush(HTTP2Frame(streamID: streamID, payload: payload), promise: nil)
    }

    /// Sends a call's headers and its body in one DATA frame.
    func call(_ streamID: HTTP2StreamID, _ headers: HPACKHeaders, body: [UInt8]) {
        send(.headers(.init(headers: headers)), on: streamID)
        send(
            .data(.init(data: .byteBuffer(ByteBuffer(bytes: body)), endStream: true)), on: streamID)
    }

    /// Carries bytes to and fro until neither side has more to say.
    func pump() throws {
        var isMoving = true
        while isMoving {
            isMoving = false
            while let bytes = try client.readOutbound(as: ByteBuffer.self) {
                try server.writeInbound(bytes)
                isMoving = true
            }
            while let bytes = try server.readOutbound(as: ByteBuffer.self) {
                try client.writeInbound(bytes)
                isMoving = true
            }
        }
        try collect()
    }

    /// What the client would send now, in one piece.
    func takeClientBytes() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let piece = try client.readOutbound(as: ByteBuffer.self) {
            bytes += Array(piece.readableBytesView)
        }
        return bytes
    }

    private func collect() throws {
        while let frame = try client.readInbound(as: HTTP2Frame.self) {
            var answer = answers[frame.streamID] ?? Answer()
            switch frame.payload {
            case .headers(let headers):
                if answer.headers == nil {
                    answer.headers = headers.headers
                } else {
                    answer.trailers = headers.headers
                }
                answer.hasEnded = headers.endStream
            case .data(let data):
                if case .byteBuffer(let bytes) = data.data {
                    answer.data += Array(bytes.readableBytesView)
                }
            case .rstStream(let code): answer.reset = code
            case .goAway(_, let code, _): goAway = code
            default: break
            }
            answers[frame.streamID] = answer
        }
    }
}

/// A gRPC message with its prefix.
func framed(_ message: [UInt8], flag: UInt8 = 0, length: UInt32? = nil) -> [UInt8] {
    let length = length ?? UInt32(message.count)
    return [flag] + withUnsafeBytes(of: length.bigEndian) { Array($0) } + message
}
