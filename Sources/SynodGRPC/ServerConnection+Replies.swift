import NIOCore
import NIOHPACK
import NIOHTTP2

/// The header blocks that most answers consist of, made once.
private enum FixedHeaders {
    static let start = HTTP2Frame.FramePayload.headers(
        .init(headers: [":status": "200", "content-type": "application/grpc"]))
    static let ok = HTTP2Frame.FramePayload.headers(
        .init(headers: ["grpc-status": "0"], endStream: true))
}

/// Answers on their way out. All of them do nothing for a call that is over.
extension ServerConnection {
    /// Answers a call with one message and the status OK.
    package func reply(_ id: CallID, _ message: [UInt8]) {
        guard send(id, message) else { return }
        finish(id, .ok)
    }

    /// Sends one of a call's messages.
    ///
    /// - Returns: False when the call is over, which it also is when the client takes messages so
    ///   slowly that too many bytes wait for it.
    @discardableResult
    package func send(_ id: CallID, _ message: [UInt8]) -> Bool {
        guard let context, calls.contains(id), calls[id].phase != .finished else { return false }
        let size = message.count + MessageAssembler.prefixBytes
        if queuedBytes > 0, queuedBytes + size > limits.queuedBytesPerConnection {
            finish(id, Status(.resourceExhausted, "too many bytes wait for this connection"))
            return false
        }
        queuedBytes += size
        calls[id].queuedBytes += size
        let streamID = calls[id].streamID
        if !calls[id].hasSentHeaders {
            calls[id].hasSentHeaders = true
            write(FixedHeaders.start, on: streamID, context: context)
        }
        var body = context.channel.allocator.buffer(capacity: size)
        body.writeGRPCMessage(message)
        write(.data(.init(data: .byteBuffer(body))), on: streamID, context: context)
        return true
    }

    /// Ends a call with a status.
    package func finish(_ id: CallID, _ status: Status) {
        guard let context, calls.contains(id), calls[id].phase != .finished else { return }
        let clientIsDone = calls[id].phase == .halfClosed
        let streamID = calls[id].streamID
        let hasSentHeaders = calls[id].hasSentHeaders
        calls[id].phase = .finished
        calls[id].message = nil
        calls[id].assembler.removeAll()
        releaseHeldBytes(of: id)
        timer?.clear(slot: id.slot)
        guard hasSentHeaders else {
            refuse(
                streamID, status, httpStatus: "200", clientIsDone: clientIsDone, context: context)
            return
        }
        if status == .ok {
            write(FixedHeaders.ok, on: streamID, context: context)
        } else {
            var trailers = HPACKHeaders()
            trailers.add(status)
            write(
                .headers(.init(headers: trailers, endStream: true)), on: streamID, context: context)
        }
    }

    /// Ends a call of which nothing was sent, with headers alone.
    func refuse(
        _ streamID: HTTP2StreamID, _ status: Status, httpStatus: String, clientIsDone: Bool,
        context: ChannelHandlerContext
    ) {
        var headers: HPACKHeaders = [":status": httpStatus, "content-type": "application/grpc"]
        headers.add(status)
        write(.headers(.init(headers: headers, endStream: true)), on: streamID, context: context)
        if !clientIsDone {
            // The rest of the request would be thrown away: spare the client the sending.
            write(.rstStream(.noError), on: streamID, context: context)
        }
    }
}

extension HPACKHeaders {
    fileprivate mutating func add(_ status: Status) {
        add(name: "grpc-status", value: String(status.code.rawValue))
        if !status.message.isEmpty {
            add(name: "grpc-message", value: PercentEncoding.encode(status.message))
        }
    }
}
