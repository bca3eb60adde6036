import NIOCore
import NIOHPACK
import NIOHTTP2

/// Requests on their way in.
extension ServerConnection {
    func received(
        _ payload: HTTP2Frame.FramePayload.Headers, on streamID: HTTP2StreamID,
        context: ChannelHandlerContext
    ) {
        if let id = callIDs[streamID] {
            // A client's trailers say no more than that it is done.
            if payload.endStream { halfClosed(id) }
            return
        }
        lastStreamID = max(lastStreamID, streamID)
        if let shutDownStatus {
            refuse(
                streamID, shutDownStatus, httpStatus: "200", clientIsDone: payload.endStream,
                context: context)
            return
        }
        let head: RequestHead
        do {
            head = try RequestHead(payload.headers)
        } catch {
            refuse(
                streamID, error.status, httpStatus: error.httpStatus,
                clientIsDone: payload.endStream, context: context)
            return
        }
        guard let method = methods.index(path: head.path) else {
            refuse(
                streamID, methods.refusal(path: head.path), httpStatus: "200",
                clientIsDone: payload.endStream, context: context)
            return
        }
        let id = calls.insert(
            ServerCall(
                streamID: streamID, method: method, requests: methods[method].requests))
        callIDs[streamID] = id
        if let timeout = head.timeout { timer?.set(eventLoop.now + timeout, slot: id.slot) }
        if payload.endStream { halfClosed(id) }
    }

    func received(
        _ payload: HTTP2Frame.FramePayload.Data, on streamID: HTTP2StreamID,
        context: ChannelHandlerContext
    ) {
        guard case .byteBuffer(let bytes) = payload.data else { return }
        // What is received is bounded by ``GRPCLimits/partialBytesPerConnection``, so the windows
        // need not wait for the service.
        if let size = received.add(bytes.readableBytes, window: limits.connectionWindowBytes) {
            write(.windowUpdate(windowSizeIncrement: size), on: .rootStream, context: context)
        }
        guard let id = callIDs[streamID], calls[id].phase == .receiving else { return }
        if !payload.endStream,
            let size = calls[id].received.add(bytes.readableBytes, window: limits.streamWindowBytes)
        {
            write(.windowUpdate(windowSizeIncrement: size), on: streamID, context: context)
        }
        calls[id].assembler.append(bytes)
        deliverMessages(of: id)
        guard isReceiving(id) else { return }
        if payload.endStream { halfClosed(id) } else { keepParts(of: id) }
    }

    private func isReceiving(_ id: CallID) -> Bool {
        calls.contains(id) && calls[id].phase == .receiving
    }

    private func deliverMessages(of id: CallID) {
        while isReceiving(id) {
            switch calls[id].assembler.next(limit: limits.messageBytes) {
            case .incomplete:
                return
            case .refused(let status):
                finish(id, status)
            case .message(let message):
                deliver(message, of: id)
            }
        }
    }

    private func deliver(_ message: ByteBuffer, of id: CallID) {
        switch calls[id].requests {
        case .many:
            service.received(message, of: id, method: calls[id].method, on: self)
        case .single where calls[id].message == nil:
            calls[id].message = message
        case .single:
            finish(id, Status(.internal, "a call of this method takes one message, not more"))
        }
    }

    private func halfClosed(_ id: CallID) {
        guard calls[id].phase == .receiving else { return }
        guard calls[id].assembler.heldBytes == 0 else {
            finish(id, Status(.internal, "the request ends in the middle of a message"))
            return
        }
        calls[id].phase = .halfClosed
        releaseHeldBytes(of: id)
        let method = calls[id].method
        switch calls[id].requests {
        case .many:
            service.halfClosed(id, method: method, on: self)
        case .single:
            guard let message = calls[id].message else {
                finish(id, Status(.internal, "the request holds no message"))
                return
            }
            calls[id].message = nil
            service.received(message, of: id, method: method, on: self)
        }
    }

    /// Copies and counts what a call holds between two reads.
    private func keepParts(of id: CallID) {
        calls[id].assembler.ownHeldBytes()
        let held = calls[id].assembler.heldBytes + (calls[id].message?.readableBytes ?? 0)
        heldBytes += held - calls[id].heldBytes
        calls[id].heldBytes = held
        if heldBytes > limits.partialBytesPerConnection {
            finish(id, Status(.resourceExhausted, "too many unfinished requests"))
        }
    }

    func releaseHeldBytes(of id: CallID) {
        heldBytes -= calls[id].heldBytes
        calls[id].heldBytes = 0
    }
}
