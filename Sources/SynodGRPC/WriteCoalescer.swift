import NIOCore

/// Sits between HTTP/2 and the socket and joins the small pieces that frames are written in, so
/// that one flush costs one buffer and one system call, however many frames it carries.
///
/// Copying a piece at once also lets the encoder above use its buffer again.
final class WriteCoalescer: ChannelOutboundHandler {
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    /// Pieces of at least this size are passed on as they are: copying them would cost more than
    /// another element in the system call.
    private static let largePiece = 16 << 10

    /// A buffer that once grew beyond this size is not used again.
    private static let largestKept = 256 << 10

    private var joined = ByteBuffer()
    /// Whether `joined` has been passed on, and is to be emptied before its next use. Emptying it
    /// late finds it free again, because the socket has usually taken it by then.
    private var isPassedOn = false

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .byteBuffer(let piece) = unwrapOutboundIn(data), promise == nil,
            piece.readableBytes < Self.largePiece
        {
            if isPassedOn { recycle() }
            joined.writeImmutableBuffer(piece)
            return
        }
        writeJoined(context: context)
        context.write(data, promise: promise)
    }

    func flush(context: ChannelHandlerContext) {
        writeJoined(context: context)
        context.flush()
    }

    private func writeJoined(context: ChannelHandlerContext) {
        guard !isPassedOn, joined.readableBytes > 0 else { return }
        isPassedOn = true
        context.write(wrapOutboundOut(.byteBuffer(joined)), promise: nil)
    }

    private func recycle() {
        isPassedOn = false
        if joined.capacity > Self.largestKept { joined = ByteBuffer() } else { joined.clear() }
    }
}
