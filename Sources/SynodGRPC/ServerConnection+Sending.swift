import NIOCore

/// Messages between the service and the socket: how windows and the socket hold them up.
extension ServerConnection {
    /// Whether nothing holds a message up, so that it can be written as one frame now.
    func takesAtOnce(_ message: [UInt8], of id: CallID) -> Bool {
        let size = message.count + MessageAssembler.prefixBytes
        return size <= FrameHeader.largestPayload && size <= flow.connection
            && size <= flow.available(calls[id].window) && calls[id].queue.count == 0
            && sending.isEmpty && isWritable && output.count < limits.socketHighWaterBytes
    }

    /// Finds the place of a call that has queued messages.
    func queueTurn(of id: CallID) {
        if flow.available(calls[id].window) > 0 {
            waiting.remove(id.slot)
            sending.append(id.slot)
        } else {
            sending.remove(id.slot)
            waiting.append(id.slot)
        }
    }

    /// A call's window has changed.
    func resumeIfPossible(_ id: CallID) {
        if calls[id].queue.count > 0 { queueTurn(of: id) }
    }

    /// Writes queued messages as far as the windows and the socket allow, one frame of each call in
    /// turn. What would fill the socket's queue is handed to the socket meanwhile.
    func pump() {
        guard !sending.isEmpty, !isPumping else { return }
        isPumping = true
        defer { isPumping = false }
        while !hasEnded, isWritable, flow.connection > 0, let slot = sending.first {
            writeFrame(of: calls.handle(at: slot))
            if output.count >= limits.socketHighWaterBytes { writeOut() }
        }
    }

    private func writeFrame(of id: CallID) {
        sending.remove(id.slot)
        let size = min(
            calls[id].queue.count, FrameHeader.largestPayload, flow.connection,
            flow.available(calls[id].window))
        // The initial window may have become smaller since the call took its place.
        guard size > 0 else {
            waiting.append(id.slot)
            return
        }
        output.writable.writeFrameHeader(length: size, .data, on: calls[id].streamID)
        calls[id].queue.write(size, into: &output.writable)
        flow.sent(size, on: &calls[id].window)
        queuedBytes -= size
        if calls[id].queue.count > 0 {
            queueTurn(of: id)
        } else if let status = calls[id].queue.end {
            writeEnd(of: id, status)
        }
    }
}
