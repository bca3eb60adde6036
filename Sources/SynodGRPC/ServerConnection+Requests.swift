import NIOCore

/// Requests on their way in.
extension ServerConnection {
    func receivedRequest(_ head: RequestHead, on streamID: StreamID, endStream: Bool) {
        if let shutDownStatus {
            refuse(streamID, shutDownStatus, clientIsDone: endStream)
            return
        }
        let method: MethodIndex
        do {
            method = try head.method(of: methods)
        } catch {
            refuse(
                streamID, error.status, httpStatus: error.httpStatus, clientIsDone: endStream)
            return
        }
        let id = calls.insert(
            ServerCall(streamID: streamID, method: method, requests: methods[method].requests))
        callIDs[streamID] = id
        if let timeout = head.timeout { timer?.set(after: timeout, slot: id.slot) }
        if endStream { clientIsDone(id) }
    }

    /// - Parameter bytes: The part of the body that one frame brings.
    func receivedBody(_ bytes: ByteBuffer, endStream: Bool, of id: CallID) {
        // What is received is bounded by ``GRPCLimits/partialBytesPerConnection``, so the windows
        // need not wait for the service.
        if isReceiving(id), bytes.readableBytes > 0 {
            calls[id].assembler.append(bytes)
            deliverMessages(of: id)
        }
        guard calls.contains(id) else { return }
        if endStream { clientIsDone(id) } else if isReceiving(id) { keepParts(of: id) }
    }

    /// The client has ended its half of a call's stream.
    func clientIsDone(_ id: CallID) {
        calls[id].clientIsDone = true
        guard isReceiving(id) else { return }
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

    private func releaseHeldBytes(of id: CallID) {
        heldBytes -= calls[id].heldBytes
        calls[id].heldBytes = 0
    }

    /// Lets go of what a call has received, since nothing more will be done with it.
    func dropRequest(of id: CallID) {
        calls[id].message = nil
        calls[id].assembler.removeAll()
        releaseHeldBytes(of: id)
    }
}
