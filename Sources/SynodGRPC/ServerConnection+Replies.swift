import NIOCore

/// Answers on their way out. All of them do nothing for a call that is over.
extension ServerConnection {
    /// Answers a call with one message and the status OK.
    package func reply(_ id: CallID, _ message: [UInt8]) {
        guard let repeated = encoder.repeated, mayAnswer(id), !calls[id].hasSentHeaders,
            calls[id].clientIsDone, takesAtOnce(message, of: id)
        else {
            if send(id, message) { finish(id, .ok) }
            return
        }
        let streamID = calls[id].streamID
        flow.sent(message.count + MessageAssembler.prefixBytes, on: &calls[id].window)
        output.writable.writeAnswer(message, repeated, on: streamID)
        calls[id].phase = .finished
        removeCall(id)
    }

    /// Sends one of a call's messages.
    ///
    /// - Returns: False when the call is over, which it also is when the client takes messages so
    ///   slowly that too many bytes wait for it.
    @discardableResult
    package func send(_ id: CallID, _ message: [UInt8]) -> Bool {
        guard mayAnswer(id) else { return false }
        let size = message.count + MessageAssembler.prefixBytes
        let isSentAtOnce = takesAtOnce(message, of: id)
        if !isSentAtOnce, queuedBytes > 0, queuedBytes + size > limits.queuedBytesPerConnection {
            finish(id, Status(.resourceExhausted, "too many bytes wait for this connection"))
            return false
        }
        let streamID = calls[id].streamID
        if !calls[id].hasSentHeaders {
            calls[id].hasSentHeaders = true
            output.writable.writeHeaders(on: streamID, endStream: false) { output in
                encoder.writeStart(into: &output)
            }
        }
        if isSentAtOnce {
            flow.sent(size, on: &calls[id].window)
            output.writable.writeDataFrame(message, on: streamID)
        } else {
            queuedBytes += size
            calls[id].queue.append(message)
            queueTurn(of: id)
            pump()
        }
        return true
    }

    /// Ends a call with a status.
    package func finish(_ id: CallID, _ status: Status) {
        guard mayAnswer(id) else { return }
        calls[id].phase = .finished
        dropRequest(of: id)
        timer?.clear(slot: id.slot)
        if !calls[id].hasSentHeaders {
            refuse(calls[id].streamID, status, clientIsDone: calls[id].clientIsDone)
            removeCall(id)
        } else if calls[id].queue.count == 0 {
            writeEnd(of: id, status)
        } else {
            calls[id].queue.end = status
        }
    }

    /// Ends a stream of which nothing was sent, with headers alone.
    func refuse(
        _ streamID: StreamID, _ status: Status, httpStatus: HTTPStatus = .ok, clientIsDone: Bool
    ) {
        output.writable.writeHeaders(on: streamID, endStream: true) { output in
            encoder.writeRefusal(status, httpStatus: httpStatus, into: &output)
        }
        if !clientIsDone { stopClient(streamID) }
    }

    /// Writes the trailers of a call, whose messages have all been written, and forgets it.
    func writeEnd(of id: CallID, _ status: Status) {
        let streamID = calls[id].streamID
        output.writable.writeHeaders(on: streamID, endStream: true) { output in
            encoder.writeEnd(status, into: &output)
        }
        if !calls[id].clientIsDone { stopClient(streamID) }
        removeCall(id)
    }

    /// Forgets a call, and tells the service unless that has finished it.
    func removeCall(_ id: CallID) {
        guard let call = calls.remove(id) else { return }
        callIDs[call.streamID] = nil
        timer?.clear(slot: id.slot)
        heldBytes -= call.heldBytes
        if call.queue.count > 0 {
            queuedBytes -= call.queue.count
            sending.remove(id.slot)
            waiting.remove(id.slot)
        }
        switch call.phase {
        case .receiving, .halfClosed: service.cancelled(id, method: call.method, on: self)
        case .finished: break
        }
        if shutDownStatus != nil { closeIfDone() }
    }

    private func mayAnswer(_ id: CallID) -> Bool {
        !hasEnded && calls.contains(id) && calls[id].phase != .finished
    }

    /// The rest of the request would be thrown away: spares the client the sending (RFC 9113,
    /// section 8.1).
    private func stopClient(_ streamID: StreamID) {
        output.writable.writeReset(streamID, .noError)
        recentResets.insert(streamID)
    }
}
