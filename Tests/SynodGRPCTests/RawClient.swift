import NIOCore
import NIOEmbedded
import SynodBytes
import SynodGRPC

/// A client that sends a server whatever bytes a test wants, and reads what comes back as frames.
final class RawClient {
    struct ReceivedFrame: Equatable {
        let kind: UInt8
        let flags: UInt8
        let stream: UInt32
        let payload: [UInt8]

        /// The error code of RST_STREAM or GOAWAY, or what WINDOW_UPDATE says.
        func number(at offset: Int) -> UInt32 {
            payload[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
        }
    }

    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    let service = EchoService()
    let server = EmbeddedChannel()
    private var bytes: [UInt8] = []
    /// All frames that came, in their order.
    private(set) var frames: [ReceivedFrame] = []

    /// - Parameter settings: The payload of the client's SETTINGS; nil for a client that has yet to
    ///   say anything.
    init(limits: GRPCLimits = GRPCLimits(), settings: [UInt8]? = []) throws {
        try ServerConnection.configure(server, service: service, limits: limits)
        server.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        guard let settings else { return }
        try send(Self.preface + frame(.settings, payload: settings))
    }

    /// Sends bytes in one read, and takes in what comes back.
    func send(_ bytes: [UInt8]) throws {
        try server.writeInbound(ByteBuffer(bytes: bytes))
        try collect()
    }

    func collect() throws {
        while let piece = try server.readOutbound(as: ByteBuffer.self) {
            bytes += Array(piece.readableBytesView)
        }
        while bytes.count >= 9 {
            let length = Int(bytes[0]) << 16 | Int(bytes[1]) << 8 | Int(bytes[2])
            guard bytes.count >= 9 + length else { return }
            let stream = bytes[5..<9].reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
            frames.append(
                ReceivedFrame(
                    kind: bytes[3], flags: bytes[4], stream: stream,
                    payload: Array(bytes[9..<9 + length])))
            bytes.removeSubrange(..<(9 + length))
        }
    }

    func frames(_ kind: FrameHeader.Kind, on stream: UInt32) -> [ReceivedFrame] {
        frames.filter { $0.kind == kind.rawValue && $0.stream == stream }
    }

    /// The error that the connection ended with; nil while it goes on.
    var goAway: UInt32? { frames(.goAway, on: 0).first.map { $0.number(at: 4) } }

    func reset(on stream: UInt32) -> UInt32? {
        frames(.resetStream, on: stream).first.map { $0.number(at: 0) }
    }

    /// All DATA of a stream, joined.
    func data(on stream: UInt32) -> [UInt8] {
        frames(.data, on: stream).flatMap(\.payload)
    }

    func hasEnded(_ stream: UInt32) -> Bool {
        frames(.headers, on: stream).contains { $0.flags & 1 == 1 }
    }
}

/// A frame's bytes.
func frame(
    _ kind: FrameHeader.Kind, flags: FrameHeader.Flags = [], on stream: UInt32 = 0,
    payload: [UInt8] = []
) -> [UInt8] {
    frame(kind: kind.rawValue, flags: flags.rawValue, on: stream, payload: payload)
}

func frame(kind: UInt8, flags: UInt8, on stream: UInt32, payload: [UInt8]) -> [UInt8] {
    var frame = Array(bytes(UInt32(payload.count))[1...])
    frame += [kind, flags]
    frame += bytes(stream)
    return frame + payload
}

/// The bytes of a number as HTTP/2 writes it.
func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian) { Array($0) }
}

func setting(_ parameter: UInt16, _ value: UInt32) -> [UInt8] {
    bytes(parameter) + bytes(value)
}

func windowUpdate(on stream: UInt32, _ increment: UInt32) -> [UInt8] {
    frame(.windowUpdate, on: stream, payload: bytes(increment))
}

/// A request's header block without entries in the dynamic table.
func requestBlock(_ path: String) -> [UInt8] {
    let contentType = Array("application/grpc".utf8)
    return [0x83, 0x86, 0x04, UInt8(path.utf8.count)] + Array(path.utf8)
        + [0x0f, 0x10, UInt8(contentType.count)] + contentType
}

func requestHeaders(
    _ path: String, on stream: UInt32, flags: FrameHeader.Flags = .endHeaders
) -> [UInt8] {
    frame(.headers, flags: flags, on: stream, payload: requestBlock(path))
}

/// A whole request in two frames.
func request(_ path: String, on stream: UInt32, _ message: [UInt8] = []) -> [UInt8] {
    requestHeaders(path, on: stream)
        + frame(.data, flags: .endStream, on: stream, payload: framed(message))
}

/// Cuts bytes at random places.
func randomPieces(of bytes: [UInt8], longest: Int, _ random: inout PRNG) -> [[UInt8]] {
    var pieces: [[UInt8]] = []
    var start = 0
    while start < bytes.count {
        let end = min(start + 1 + Int(random.next() % UInt64(longest)), bytes.count)
        pieces.append(Array(bytes[start..<end]))
        start = end
    }
    return pieces
}
